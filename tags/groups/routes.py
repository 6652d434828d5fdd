"""Which route of a segment group is hers, told once when it changes, and who is where (T7)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select, union
from sqlalchemy.orm import InstrumentedAttribute, Session

from bot.core import clock
from bot.core.errors import NotFound
from bot.core.events import announce
from bot.core.jobs import Progress
from tags.groups.events import GroupAssigned, GroupUnassigned
from tags.groups.models import GroupAssignment, GroupChat, GroupMember, Route, RouteChat, SegmentGroup
from tags.groups.rules import first_route
from tags.people import service as people
from tags.people.models import Customer
from tags.tagging import service as tagging
from tags.tagging.models import Assignment

CHUNK = 100  # customers whose routes one transaction looks at


@dataclass(frozen=True)
class Forecast:
    """What a route would mean if it were made now. belong: whose first it is; to_invite: of them, not in its chats."""

    belong: int
    to_invite: int


def assign(session: Session, customer_id: int, segment_group_ids: Iterable[int], *, invite: bool = True) -> None:
    """Bring her routes in these segment groups up to date with her tags; the caller holds her lock.

    Announces GroupUnassigned and GroupAssigned where something changed; with `invite` off nobody invites her.
    """
    hers = {held.tag.id for held in tagging.of(session, customer_id)}
    for segment_group_id in sorted(set(segment_group_ids)):
        routes = routes_of(session, segment_group_id)
        wanted = first_route([(route.id, route.tag_id) for route in routes], hers)
        standing = standing_of(session, customer_id, segment_group_id)
        kept = next((one for one in standing if one.route_id == wanted), None)
        for one in standing:
            if one is not kept:
                _end(session, customer_id, one)
        if kept is None and wanted is not None:
            _begin(session, customer_id, next(route for route in routes if route.id == wanted), invite)


def on_tag(session: Session, customer_id: int, tag_id: int) -> None:
    """She got or lost a tag: every segment group that routes by it looks again."""
    assign(session, customer_id, session.scalars(_routing_by([tag_id])).all())


def reassign(session: Session, *customer_ids: int) -> None:
    """Look again at every segment group that may concern these customers, after a merge or its undoing."""
    for customer_id in customer_ids:
        family = GroupAssignment.customer_id.in_(people.family(session, customer_id))
        standing = select(GroupAssignment.segment_group_id).where(family, GroupAssignment.ended_at.is_(None))
        routing = _routing_by(tagging.tag_ids(session, customer_id))
        assign(session, customer_id, session.scalars(union(standing, routing)).all())


def place(session: Session, progress: Progress, segment_group_id: int, *, invite: bool) -> bool:
    """Look at the next customers whom a segment group concerns since it was made or edited; whether there are more."""
    after = progress.cursor or 0
    tags = [route.tag_id for route in routes_of(session, segment_group_id)]
    standing = GroupAssignment.segment_group_id == segment_group_id, GroupAssignment.ended_at.is_(None)
    concerned = [_next(Assignment.customer_id, after).where(Assignment.tag_id == tag_id) for tag_id in tags]
    concerned.append(_next(GroupAssignment.customer_id, after).where(*standing))
    either = union(*concerned).subquery()
    ids = list(session.scalars(select(either.c.customer_id).order_by(either.c.customer_id).limit(CHUNK)))
    if not ids:
        return False
    for one in {customer.id for customer in people.lock(session, *ids)}:
        assign(session, one, [segment_group_id], invite=invite)
    progress.advance(len(ids), ids[-1])
    return True


def forecast(session: Session, wanted: Sequence[tuple[int, Collection[str]]]) -> list[Forecast]:
    """What routes of (tag, chats) in this order would mean."""
    earlier: list[int] = []
    told = []
    for tag_id, chat_ids in wanted:
        taken = select(Assignment.customer_id).where(Assignment.tag_id.in_(earlier))
        hers = select(Assignment.customer_id).join(Customer, Customer.id == Assignment.customer_id)
        hers = hers.where(Assignment.tag_id == tag_id, Customer.merged_into.is_(None))
        belong = hers.where(Assignment.customer_id.not_in(taken)).subquery()
        seated = select(GroupMember.id).where(
            GroupMember.customer_id == belong.c.customer_id, GroupMember.chat_id.in_(chat_ids),
            GroupMember.left_at.is_(None),
        )  # fmt: skip
        counted = select(func.count(), func.count().filter(~seated.exists())).select_from(belong)
        told.append(Forecast(*session.execute(counted).one()))
        earlier.append(tag_id)
    return told


def get(session: Session, segment_group_id: int) -> SegmentGroup:
    """Raises NotFound."""
    found = session.get(SegmentGroup, segment_group_id)
    if found is None:
        raise NotFound(f"there is no segment group {segment_group_id}")
    return found


def routes_of(session: Session, segment_group_id: int) -> list[Route]:
    """The routes of a segment group in their order."""
    query = select(Route).where(Route.segment_group_id == segment_group_id, Route.removed_at.is_(None))
    return list(session.scalars(query.order_by(Route.place)))


def standing_of(session: Session, customer_id: int, segment_group_id: int) -> list[GroupAssignment]:
    """Her routes in a segment group: one, or none; or one each of customers who were merged into one."""
    hers = select(GroupAssignment).where(GroupAssignment.customer_id.in_(people.family(session, customer_id)))
    here = hers.where(GroupAssignment.segment_group_id == segment_group_id, GroupAssignment.ended_at.is_(None))
    return list(session.scalars(here.order_by(GroupAssignment.assigned_at.desc(), GroupAssignment.id)))


def is_in(session: Session, customer_id: int, route_id: int) -> bool:
    """Whether she sits in a chat of the route's pool."""
    return bool(session.scalar(select(_seat_in(route_id, customer_id))))


def seat_in(session: Session, customer_id: int, route_id: int) -> str | None:
    """What the chat of the route's pool is called in which she sits, "" where WeCom tells no name; None for none."""
    hers = GroupMember.customer_id.in_(people.family(session, customer_id)), GroupMember.left_at.is_(None)
    seats = select(GroupChat.name).join(GroupMember, GroupMember.chat_id == GroupChat.chat_id).where(*hers)
    pool = seats.join(RouteChat, RouteChat.chat_id == GroupChat.chat_id).where(RouteChat.route_id == route_id)
    return session.scalar(pool.order_by(RouteChat.place).limit(1))


def _routing_by(tag_ids: Collection[int]) -> Select[int]:
    by = select(Route.segment_group_id).where(Route.tag_id.in_(tag_ids), Route.removed_at.is_(None))
    return by.distinct()


def _next(customer_id: InstrumentedAttribute[int], after: int) -> Select[int]:
    """A branch of what a chunk unites, limited by itself so that an index gives it."""
    return select(customer_id.label("customer_id")).where(customer_id > after).order_by(customer_id).limit(CHUNK)


def _begin(session: Session, customer_id: int, route: Route, invite: bool) -> None:
    family = people.family(session, customer_id)
    before = select(GroupAssignment).where(
        GroupAssignment.customer_id.in_(family), GroupAssignment.route_id == route.id
    )
    own_first = (GroupAssignment.customer_id != customer_id, GroupAssignment.id)
    row = session.scalar(before.order_by(*own_first).limit(1))
    new = {"customer_id": customer_id, "segment_group_id": route.segment_group_id, "route_id": route.id}
    row = row or GroupAssignment(**new)
    row.assigned_at, row.ended_at = clock.now(), None
    session.add(row)
    session.flush()
    hers = GroupAssigned(
        **new, assignment_id=row.id, segment_group=_name(session, row), tag_id=route.tag_id, invite=invite
    )  # fmt: skip
    announce(session, hers)


def _end(session: Session, customer_id: int, standing: GroupAssignment) -> None:
    standing.ended_at = clock.now()
    session.flush()
    no_more = GroupUnassigned(
        customer_id=customer_id, assignment_id=standing.id, segment_group_id=standing.segment_group_id,
        segment_group=_name(session, standing), route_id=standing.route_id,
    )  # fmt: skip
    announce(session, no_more)


def _name(session: Session, assignment: GroupAssignment) -> str:
    return get(session, assignment.segment_group_id).name


def _seat_in(route_id: int, customer_id: int) -> ColumnElement[bool]:
    seats = select(GroupMember.id).join(RouteChat, RouteChat.chat_id == GroupMember.chat_id)
    hers = GroupMember.customer_id == customer_id, GroupMember.left_at.is_(None)
    return seats.where(RouteChat.route_id == route_id, *hers).exists()
