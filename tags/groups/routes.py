"""Which route of a segment group is hers, told once when it changes, and who is where (T7)."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, Subquery, select, union
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import NotFound
from bot.core.events import announce
from bot.core.jobs import Progress
from tags.conditions.tree import Group, Leaf, Tree
from tags.groups.events import GroupAssigned, GroupPointedOut, GroupUnassigned
from tags.groups.leaves import GroupChatLeaf
from tags.groups.models import GroupAssignment, GroupChat, GroupMember, Route, RouteChat, SegmentGroup
from tags.people import finding
from tags.people import service as people
from tags.segments import meant
from tags.segments.leaves import SegmentLeaf
from tags.tagging import service as tagging
from tags.tagging.leaves import TagLeaf

CHUNK = 100  # customers whose routes one transaction looks at


@dataclass(frozen=True)
class Forecast:
    """What a route would mean if it were made now. belong: whose first it is; to_invite: of them, not in its chats."""

    belong: int
    to_invite: int


def assign(session: Session, customer_id: int, segment_group_ids: Iterable[int], *, invite: bool = True) -> None:
    """Bring her routes in these segment groups up to date with her tags and segments; the caller holds her lock.

    Announces GroupUnassigned and GroupAssigned where something changed; with `invite` off nobody invites her.
    """
    concerned = sorted(set(segment_group_ids))
    tags = tagging.tag_ids(session, customer_id) if concerned else set()
    for segment_group_id in concerned:
        routes = routes_of(session, segment_group_id)
        wanted = next((route for route in routes if _is_hers(session, customer_id, tags, route)), None)
        standing = standing_of(session, customer_id, segment_group_id)
        kept = next((one for one in standing if wanted is not None and one.route_id == wanted.id), None)
        for one in standing:
            if one is not kept:
                _end(session, customer_id, one)
        if kept is None and wanted is not None:
            _begin(session, customer_id, wanted, invite)


def lead(session: Session, customer_id: int, segment_group_id: int) -> bool:
    """A rule or a live code leads her into a segment group; whether one of its routes is hers. Her lock is held.

    Announces GroupPointedOut for one that was hers before, beside what `assign` does.
    """
    before = [one.id for one in standing_of(session, customer_id, segment_group_id)]
    assign(session, customer_id, [segment_group_id])
    standing = standing_of(session, customer_id, segment_group_id)
    for one in standing:
        if one.id in before:
            told = GroupPointedOut(customer_id=customer_id, assignment_id=one.id, segment_group=_name(session, one))
            announce(session, told)
    return bool(standing)


def on_tag(session: Session, customer_id: int, tag_id: int) -> None:
    """She got or lost a tag: every segment group that routes by it looks again."""
    assign(session, customer_id, session.scalars(_routing_by(Route.tag_id == tag_id)).all())


def on_segment(session: Session, customer_id: int, segment_id: int) -> None:
    """She entered or left a segment: every segment group that routes by it looks again."""
    people.lock(session, customer_id)
    assign(session, customer_id, session.scalars(_routing_by(Route.segment_id == segment_id)).all())


def reassign(session: Session, *customer_ids: int) -> None:
    """Look again at every segment group that may concern these customers, after a merge or its undoing."""
    for customer_id in customer_ids:
        family = GroupAssignment.customer_id.in_(people.family(session, customer_id))
        standing = select(GroupAssignment.segment_group_id).where(family, GroupAssignment.ended_at.is_(None))
        tags = tagging.tag_ids(session, customer_id)
        routing = _routing_by(Route.tag_id.in_(tags) | Route.segment_id.is_not(None))
        assign(session, customer_id, session.scalars(union(standing, routing)).all())


def place(session: Session, progress: Progress, segment_group_id: int, *, invite: bool) -> bool:
    """Look at the next customers whom a segment group concerns since it was made or edited; whether there are more."""
    after = progress.cursor or 0
    standing = select(GroupAssignment.customer_id.label("id")).where(
        GroupAssignment.segment_group_id == segment_group_id, GroupAssignment.ended_at.is_(None)
    )
    concerned = [finding.meant(session, basis(route.tag_id, route.segment_id)) for route in
                 routes_of(session, segment_group_id)]  # fmt: skip
    either = union(*(_next(one.subquery(), after) for one in [standing, *concerned])).subquery()
    ids = list(session.scalars(select(either.c.id).order_by(either.c.id).limit(CHUNK)))
    if not ids:
        return False
    for one in {customer.id for customer in people.lock(session, *ids)}:
        assign(session, one, [segment_group_id], invite=invite)
    progress.advance(len(ids), ids[-1])
    return True


def routed_by_segment(session: Session) -> list[int]:
    """The segment groups with a route by a segment."""
    return list(session.scalars(_routing_by(Route.segment_id.is_not(None))))


def basis(tag_id: int | None, segment_id: int | None) -> Leaf:
    """What a route goes by, as the leaf of a condition."""
    return SegmentLeaf(segment=str(segment_id)) if tag_id is None else TagLeaf(tag=str(tag_id))


def forecast(session: Session, wanted: Sequence[tuple[Leaf, Collection[str]]]) -> list[Forecast]:
    """What routes by (basis, chats) in this order would mean."""
    earlier: list[Tree] = []
    told = []
    for leaf, chat_ids in wanted:
        hers: list[Tree] = [leaf, *([Group("none", tuple(earlier))] if earlier else [])]
        belong = meant.count(session, Group("all", tuple(hers)))
        inside = Group("any", tuple(GroupChatLeaf(group_chat=one) for one in chat_ids))
        seated = meant.count(session, Group("all", (*hers, inside))) if chat_ids else 0
        told.append(Forecast(belong, belong - seated))
        earlier.append(leaf)
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


def _is_hers(session: Session, customer_id: int, tags: Collection[int], route: Route) -> bool:
    if route.tag_id is not None:
        return route.tag_id in tags
    return finding.is_meant(session, basis(None, route.segment_id), customer_id)


def _routing_by(what: ColumnElement[bool]) -> Select[int]:
    return select(Route.segment_group_id).where(what, Route.removed_at.is_(None)).distinct()


def _next(found: Subquery, after: int) -> Select[int]:
    """A branch of what a chunk unites, limited by itself so that an index gives it."""
    return select(found.c.id).where(found.c.id > after).order_by(found.c.id).limit(CHUNK)


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
        **new, assignment_id=row.id, segment_group=_name(session, row), tag_id=route.tag_id,
        segment_id=route.segment_id, invite=invite,
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
