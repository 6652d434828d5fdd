"""Segment groups: which route is hers, told once when it changes, and who is where (T7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import NotFound, Unacceptable
from bot.core.events import announce
from bot.wecom import inbox, outbox
from tags.groups import chats, joinways
from tags.groups.events import GroupAssigned, GroupUnassigned
from tags.groups.models import GroupAssignment, GroupChat, GroupMember, Route, RouteChat, SegmentGroup
from tags.groups.rules import first_route
from tags.people import service as people
from tags.people.models import Customer
from tags.tagging import service as tagging
from tags.tagging.models import Tag


@dataclass(frozen=True)
class Wanted:
    """A route as it is asked for: who has the tag goes into one of the chats, each up to `capacity` people."""

    tag_id: int
    chat_ids: Sequence[str]
    capacity: int


def make(session: Session, name: str, wanted: Sequence[Wanted]) -> SegmentGroup:
    """A segment group with its routes in order, their join ways posted. Raises Unacceptable with the bad place.

    Who has a tag already is not invited: an invitation follows a change (T7).
    """
    _check(session, wanted)
    group = SegmentGroup(name=name, created_at=clock.now(), created_by=session.info["actor"])
    session.add(group)
    session.flush()
    for new in chats.know(session, *(chat_id for one in wanted for chat_id in one.chat_ids)):
        inbox.ask(session, chats.ChatAsked(new))
    for place, one in enumerate(wanted):
        route = Route(
            segment_group_id=group.id, place=place, tag_id=one.tag_id, capacity=one.capacity, config_id="",
            qr_code="", listed=[],
        )  # fmt: skip
        session.add(route)
        session.flush()
        pool = (RouteChat(route_id=route.id, chat_id=chat_id, place=n) for n, chat_id in enumerate(one.chat_ids))
        session.add_all(pool)
        session.flush()
        joinways.make(session, route)
    return group


def discard(session: Session, route_id: int) -> None:
    """WeCom refused a route's join way: its segment group never was, unless somebody has been given a route of it."""
    route = session.get(Route, route_id)
    if route is None:
        return
    routes = routes_of(session, route.segment_group_id)
    ids = [one.id for one in routes]
    if session.scalar(select(GroupAssignment.id).where(GroupAssignment.route_id.in_(ids)).limit(1)) is not None:
        return
    for one in routes:
        if one.config_id:
            outbox.post(session, "del_join_way", {"config_id": one.config_id}, purpose="sync")
    session.execute(delete(RouteChat).where(RouteChat.route_id.in_(ids)))
    session.execute(delete(Route).where(Route.id.in_(ids)))
    session.execute(delete(SegmentGroup).where(SegmentGroup.id == route.segment_group_id))


def assign(session: Session, customer_id: int, segment_group_ids: Sequence[int]) -> None:
    """Bring her routes in these segment groups up to date with her tags; the caller holds her lock.

    Announces GroupUnassigned and GroupAssigned where something changed.
    """
    hers = {held.tag.id for held in tagging.of(session, customer_id)}
    for segment_group_id in sorted(set(segment_group_ids)):
        routes = routes_of(session, segment_group_id)
        wanted = first_route([(route.id, route.tag_id) for route in routes], hers)
        standing = standing_of(session, customer_id, segment_group_id)
        if any(one.route_id == wanted for one in standing):
            continue
        for one in standing:
            _end(session, customer_id, one)
        if wanted is not None:
            _begin(session, customer_id, next(route for route in routes if route.id == wanted))


def on_tag(session: Session, customer_id: int, tag_id: int) -> None:
    """She got or lost a tag: every segment group that routes by it looks again."""
    groups = select(Route.segment_group_id).where(Route.tag_id == tag_id)
    assign(session, customer_id, list(session.scalars(groups.distinct())))


def get(session: Session, segment_group_id: int) -> SegmentGroup:
    """Raises NotFound."""
    found = session.get(SegmentGroup, segment_group_id)
    if found is None:
        raise NotFound(f"there is no segment group {segment_group_id}")
    return found


def routes_of(session: Session, segment_group_id: int) -> list[Route]:
    """The routes of a segment group in their order."""
    query = select(Route).where(Route.segment_group_id == segment_group_id)
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


def joined(session: Session, route_id: int) -> int:
    """How many customers sit in the route's chats."""
    seats = select(func.count(GroupMember.external_userid.distinct())).join(
        RouteChat, RouteChat.chat_id == GroupMember.chat_id
    )
    return session.scalar(seats.where(RouteChat.route_id == route_id, GroupMember.left_at.is_(None))) or 0


def wrong_group(session: Session, route_id: int) -> list[int]:
    """The customers whose route this is and who sit in a chat of another route of the same segment group (T7)."""
    here = select(Route.segment_group_id).where(Route.id == route_id).scalar_subquery()
    elsewhere = (
        select(GroupMember.customer_id)
        .join(RouteChat, RouteChat.chat_id == GroupMember.chat_id)
        .join(Route, Route.id == RouteChat.route_id)
        .where(Route.segment_group_id == here, Route.id != route_id, GroupMember.left_at.is_(None))
    )
    hers = func.coalesce(Customer.survivor_id, Customer.id)
    standing = (
        select(hers)
        .join(GroupAssignment, GroupAssignment.customer_id == Customer.id)
        .where(GroupAssignment.route_id == route_id, GroupAssignment.ended_at.is_(None), hers.in_(elsewhere))
    )
    return list(session.scalars(standing.distinct().order_by(hers)))


def _check(session: Session, wanted: Sequence[Wanted]) -> None:
    alive = select(Tag.id).where(Tag.id.in_([one.tag_id for one in wanted]), Tag.deleted_at.is_(None))
    known = set(session.scalars(alive))
    seen: dict[str, str] = {}
    tags: dict[int, str] = {}
    for n, one in enumerate(wanted):
        here = f"/routes/{n}"
        if one.tag_id not in known:
            raise Unacceptable.at(f"{here}/tag_id", f"there is no tag {one.tag_id}")
        if one.tag_id in tags:
            raise Unacceptable.at(f"{here}/tag_id", f"{tags[one.tag_id]} has this tag already; the first route wins")
        tags[one.tag_id] = here
        for place, chat_id in enumerate(one.chat_ids):
            if chat_id in seen:
                raise Unacceptable.at(f"{here}/chats/{place}", f"{seen[chat_id]} has this group chat already")
            seen[chat_id] = here


def _begin(session: Session, customer_id: int, route: Route) -> None:
    family = people.family(session, customer_id)
    before = select(GroupAssignment).where(
        GroupAssignment.customer_id.in_(family), GroupAssignment.route_id == route.id
    )
    row = session.scalar(before.order_by(GroupAssignment.id).limit(1))
    new = {"customer_id": customer_id, "segment_group_id": route.segment_group_id, "route_id": route.id}
    row = row or GroupAssignment(**new)
    row.assigned_at, row.ended_at = clock.now(), None
    session.add(row)
    session.flush()
    hers = GroupAssigned(**new, assignment_id=row.id, segment_group=_name(session, row), tag_id=route.tag_id)
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
