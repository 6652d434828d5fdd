"""Join ways: a route's code in WeCom leads to those chats of its pool that have room (T7; wecom.md §3.9)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.wecom import inbox, outbox
from tags.groups.models import GroupChat, GroupMember, Route, RouteChat, SegmentGroup
from tags.groups.rules import Fill, has_room, places, to_list

QR = 2
REMARK, ROOM_NAME = 30, 40  # characters


@dataclass(frozen=True)
class JoinWayAsked:
    """Read this join way (`groupchat/get_join_way`): making it does not tell its code."""

    route_id: int
    config_id: str


def make(session: Session, route: Route) -> None:
    """Post the making of a route's join way."""
    pool = fills(session, route.id)
    route.listed = to_list(pool, route.capacity) or [pool[0].chat_id]
    outbox.post(session, "add_join_way", _way(session, route), purpose="sync", dedupe=f"join_way:{route.id}")


def made(session: Session, route_id: int, config_id: str) -> None:
    """WeCom made the join way; its code is asked for, and the way deleted where the route was removed meanwhile."""
    route = session.get(Route, route_id, with_for_update=True)
    if route is None or route.removed_at is not None:
        outbox.post(session, "del_join_way", {"config_id": config_id}, purpose="sync")
        return
    route.config_id = config_id
    inbox.ask(session, JoinWayAsked(route_id, config_id))
    refresh(session, route)
    group = session.get_one(SegmentGroup, route.segment_group_id)
    beside = Route.segment_group_id == group.id, Route.removed_at.is_(None), Route.config_id == ""
    if group.ready_at is None and session.scalar(select(Route.id).where(*beside).limit(1)) is None:
        group.ready_at = clock.now()


def unmake(session: Session, route: Route) -> None:
    """Post the deletion of a route's join way; one that is still being made goes when it is (`made`)."""
    if route.config_id:
        outbox.post(session, "del_join_way", {"config_id": route.config_id}, purpose="sync")


def coded(session: Session, route_id: int, qr_code: str) -> None:
    """The address of the picture of a route's code is known."""
    route = session.get(Route, route_id)
    if route is not None:
        route.qr_code = qr_code


def follow(session: Session, payload: dict[str, Any]) -> None:
    """An update of a join way was made; where a later one overtook it, it is made again."""
    here = Route.config_id == payload["config_id"], Route.removed_at.is_(None)
    route = session.scalar(select(Route).where(*here).with_for_update())
    if route is not None and route.listed != payload["chat_id_list"]:
        _post(session, route)


def refresh(session: Session, route: Route, *, anew: bool = False) -> None:
    """Let the code lead to the chats that have room now; where none has, it stays as it is, and people wait (T7).

    anew: name, capacity or pool were edited, so that the join way is written again whatever it leads to.
    """
    pool = fills(session, route.id)
    open_ones, known = to_list(pool, route.capacity), [chat.chat_id for chat in pool]
    listed = open_ones or [one for one in route.listed if one in known] or known[:1]
    if open_ones or grows(route):
        route.full_at = None
    elif route.full_at is None:
        route.full_at = clock.now()
    changed, route.listed = listed != route.listed, listed
    if route.config_id and (changed or anew):
        _post(session, route)


def refresh_of(session: Session, chat_id: str) -> None:
    """Refresh every route whose pool has this chat."""
    routes = select(Route).join(RouteChat, RouteChat.route_id == Route.id)
    routes = routes.where(RouteChat.chat_id == chat_id, Route.removed_at.is_(None))
    for route in session.scalars(routes.order_by(Route.id).with_for_update(of=Route)):
        refresh(session, route)


def follow_states(session: Session, chat_id: str, states: Collection[str]) -> None:
    """A chat that people entered by a route's code belongs to its pool: WeCom made it when the others were full."""
    for route_id in {route for state in states if (route := route_of(state)) is not None}:
        pool = {fill.chat_id for fill in fills(session, route_id)}
        if pool and chat_id not in pool:
            session.add(RouteChat(route_id=route_id, chat_id=chat_id, place=len(pool)))
            session.flush()


def fills(session: Session, route_id: int) -> list[Fill]:
    """The pool of a route, in its order, with how full each chat is."""
    customers = (
        select(func.count())
        .where(GroupMember.chat_id == GroupChat.chat_id, GroupMember.left_at.is_(None))
        .scalar_subquery()
    )
    rows = session.execute(
        select(GroupChat.chat_id, GroupChat.people, customers, GroupChat.dismissed_at.is_not(None))
        .join(RouteChat, RouteChat.chat_id == GroupChat.chat_id)
        .where(RouteChat.route_id == route_id)
        .order_by(RouteChat.place)
    )
    return [Fill(*row) for row in rows]


def room(session: Session, route: Route) -> int | None:
    """How many more the route's code lets in; None where WeCom makes a chat when all are full."""
    return None if grows(route) else places(fills(session, route.id), route.capacity)


def grows(route: Route) -> bool:
    """Whether WeCom makes a new chat when all are full."""
    return route.when_full == "new_chat"


def open_chats(session: Session, route: Route) -> list[str]:
    """The chats of a route that have room."""
    return [chat.chat_id for chat in fills(session, route.id) if has_room(chat, route.capacity)]


def leads_to(session: Session, route: Route) -> str:
    """What the chat is called that the route's code leads to now; the segment group's name where WeCom tells none."""
    open_ones = open_chats(session, route)
    called = dict(
        session.execute(select(GroupChat.chat_id, GroupChat.name).where(GroupChat.chat_id.in_(open_ones))).all()
    )
    return next((called[one] for one in open_ones if called[one]), _group_name(session, route))


def state_of(route_id: int) -> str:
    """The state of a route's join way, which its joiners carry."""
    return f"group{route_id}"


def route_of(state: str) -> int | None:
    number = state.removeprefix("group")
    return int(number) if state != number and number.isascii() and number.isdigit() else None


def _post(session: Session, route: Route) -> None:
    payload = {"config_id": route.config_id, **_way(session, route)}
    outbox.post(session, "update_join_way", payload, purpose="sync")


def _way(session: Session, route: Route) -> dict[str, Any]:
    """The whole join way, since an update replaces it."""
    name = _group_name(session, route)
    return {
        "scene": QR, "remark": name[:REMARK], "auto_create_room": int(grows(route)), "room_base_name": name[:ROOM_NAME],
        "room_base_id": len(fills(session, route.id)) + 1, "chat_id_list": route.listed, "state": state_of(route.id),
    }  # fmt: skip


def _group_name(session: Session, route: Route) -> str:
    return session.get_one(SegmentGroup, route.segment_group_id).name
