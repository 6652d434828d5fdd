"""Segment groups are made, changed and closed; who belongs where follows in a job (T7)."""

from collections.abc import Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Conflict, Unacceptable
from bot.core.jobs import enqueue
from tags.groups import chats, jobs, joinways, routes
from tags.groups.models import GroupAssignment, Route, RouteChat, SegmentGroup
from tags.groups.rules import WhenFull, when_full


@dataclass(frozen=True)
class Wanted:
    """A route as it is asked for: who has the tag, or is meant by the segment, goes into one of the chats.

    Either tag_id or segment_id. capacity: people a chat takes. when_full: new_chat or wait, None for what fits the
    capacity. route_id: of the one that is changed, None for a new one.
    """

    tag_id: int | None
    segment_id: int | None
    chat_ids: Sequence[str]
    capacity: int
    when_full: WhenFull | None = None
    route_id: int | None = None


def make(session: Session, name: str, wanted: Sequence[Wanted], *, invite: bool = False) -> SegmentGroup:
    """A segment group with its routes in order, their join ways posted. Raises Unacceptable with the bad place.

    Who has a tag already belongs to its route from now on, and is invited where `invite` says so.
    """
    _check(session, wanted, {})
    group = SegmentGroup(name=name, created_at=clock.now(), created_by=session.info["actor"])
    session.add(group)
    session.flush()
    for n, one in enumerate(wanted):
        _add(session, group, n, one)
    enqueue(session, jobs.place, segment_group_id=group.id, invite=invite)
    return group


def change(
    session: Session,
    segment_group_id: int,
    name: str | None,
    wanted: Sequence[Wanted] | None,
    *,
    invite: bool = False,
) -> None:
    """Give it this name and these routes in their order (None: as it was); routes that are not named are removed.

    Raises NotFound, Conflict where it is closed, Unacceptable with the bad place.
    """
    group = _open(session, segment_group_id)
    there = {route.id: route for route in routes.routes_of(session, group.id)}
    renamed, group.name = name not in (None, group.name), name or group.name
    session.flush()
    if wanted is None:
        for route in there.values() if renamed else ():
            joinways.refresh(session, route, anew=True)
        return
    _check(session, wanted, there)
    for gone in there.keys() - {one.route_id for one in wanted}:
        _remove(session, there[gone])
    for n, one in enumerate(wanted):
        if one.route_id is None:
            _add(session, group, n, one)
        else:
            _alter(session, there[one.route_id], n, one)
    enqueue(session, jobs.place, segment_group_id=group.id, invite=invite)


def close(session: Session, segment_group_id: int) -> None:
    """Nobody belongs to it any more; its codes are deleted, its chats stay as they are. A second call changes nothing.

    Raises NotFound.
    """
    group = routes.get(session, segment_group_id)
    if group.closed_at is not None:
        return
    _open(session, segment_group_id)
    group.closed_at = clock.now()
    for route in routes.routes_of(session, segment_group_id):
        _remove(session, route)
    enqueue(session, jobs.place, segment_group_id=group.id, invite=False)


def discard(session: Session, route_id: int) -> None:
    """WeCom refused a route's join way: the route never was, nor its segment group where that was being made."""
    route = session.get(Route, route_id)
    if route is None:
        return
    group = session.get_one(SegmentGroup, route.segment_group_id)
    if group.ready_at is not None:
        _remove(session, route)
        enqueue(session, jobs.place, segment_group_id=group.id, invite=False)
        return
    there = routes.routes_of(session, group.id)
    for one in there:
        joinways.unmake(session, one)
    ids = [one.id for one in there]
    group.closed_at = clock.now()
    if session.scalar(select(GroupAssignment.id).where(GroupAssignment.segment_group_id == group.id).limit(1)):
        for one in there:
            one.removed_at = clock.now()
        enqueue(session, jobs.place, segment_group_id=group.id, invite=False)
        return
    session.execute(delete(RouteChat).where(RouteChat.route_id.in_(ids)))
    session.execute(delete(Route).where(Route.id.in_(ids)))
    session.execute(delete(SegmentGroup).where(SegmentGroup.id == group.id))


def _open(session: Session, segment_group_id: int) -> SegmentGroup:
    group = routes.get(session, segment_group_id)
    session.refresh(group, with_for_update=True)
    if group.closed_at is not None:
        raise Conflict(f"segment group {segment_group_id} is closed")
    return group


def _add(session: Session, group: SegmentGroup, place: int, wanted: Wanted) -> None:
    route = Route(
        segment_group_id=group.id, place=place, tag_id=wanted.tag_id, segment_id=wanted.segment_id,
        capacity=wanted.capacity, when_full=when_full(wanted.when_full, wanted.capacity), config_id="", qr_code="",
        listed=[],
    )  # fmt: skip
    session.add(route)
    session.flush()
    _fill(session, route, wanted.chat_ids)
    joinways.make(session, route)


def _alter(session: Session, route: Route, place: int, wanted: Wanted) -> None:
    session.refresh(route, with_for_update=True)
    route.place, route.tag_id, route.segment_id = place, wanted.tag_id, wanted.segment_id
    route.capacity = wanted.capacity
    route.when_full = when_full(wanted.when_full, wanted.capacity)
    _fill(session, route, wanted.chat_ids)
    joinways.refresh(session, route, anew=True)


def _remove(session: Session, route: Route) -> None:
    session.refresh(route, with_for_update=True)
    route.removed_at, route.full_at = clock.now(), None
    joinways.unmake(session, route)


def _fill(session: Session, route: Route, chat_ids: Sequence[str]) -> None:
    """Let the route's pool be these chats in this order; what nobody named before is read."""
    chats.listed(session, chat_ids)
    session.execute(delete(RouteChat).where(RouteChat.route_id == route.id))
    session.add_all(RouteChat(route_id=route.id, chat_id=one, place=n) for n, one in enumerate(chat_ids))
    session.flush()


def _check(session: Session, wanted: Sequence[Wanted], there: dict[int, Route]) -> None:
    taken: dict[tuple[str, object], str] = {}
    for n, one in enumerate(wanted):
        here = f"/routes/{n}"
        if one.route_id is not None and one.route_id not in there:
            raise Unacceptable.at(f"{here}/id", f"there is no route {one.route_id} in this segment group")
        _check_basis(session, one, here)
        ids = (("id", "route", one.route_id), ("tag_id", "tag", one.tag_id), ("segment_id", "segment", one.segment_id))
        unique: list[tuple[str, str, object]] = [
            (f"{here}/{name}", what, value) for name, what, value in ids if value is not None
        ]
        unique += [(f"{here}/chats/{place}", "group chat", chat_id) for place, chat_id in enumerate(one.chat_ids)]
        for pointer, what, value in unique:
            if (what, value) in taken:
                words = _l("前面的一条已经有它了，排在前面的算数")
                raise Unacceptable.at(
                    pointer, f"{taken[what, value]} has this {what} already; the first route wins", words
                )
            taken[what, value] = here
        try:
            when_full(one.when_full, one.capacity)
        except ValueError as error:
            raise Unacceptable.at(f"{here}/when_full", str(error)) from error


def _check_basis(session: Session, wanted: Wanted, here: str) -> None:
    if wanted.tag_id is not None and wanted.segment_id is not None:
        raise Unacceptable.at(f"{here}/segment_id", "expected either tag_id or segment_id, found both")
    if wanted.tag_id is None and wanted.segment_id is None:
        raise Unacceptable.at(f"{here}/tag_id", "expected a tag_id or a segment_id", _l("请选一个标签或客群"))
    leaf = routes.basis(wanted.tag_id, wanted.segment_id)
    for fault in leaf.faults(session):
        raise Unacceptable.at(f"{here}{fault.pointer}_id", fault.detail, fault.words)
