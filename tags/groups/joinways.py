"""Join ways: a route's code in WeCom leads to those chats of its pool that have room (T7; wecom.md §3.9)."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.wecom import inbox, outbox
from tags.groups.models import GroupChat, GroupMember, Route, RouteChat, SegmentGroup
from tags.groups.rules import CAPACITY, Fill, has_room, to_list

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
    """WeCom made the join way; its code is asked for, and the way deleted where the route was discarded meanwhile."""
    route = session.get(Route, route_id, with_for_update=True)
    if route is None:
        outbox.post(session, "del_join_way", {"config_id": config_id}, purpose="sync")
        return
    route.config_id = config_id
    inbox.ask(session, JoinWayAsked(route_id, config_id))
    refresh(session, route)


def coded(session: Session, route_id: int, qr_code: str) -> None:
    """The address of the picture of a route's code is known."""
    route = session.get(Route, route_id)
    if route is not None:
        route.qr_code = qr_code


def follow(session: Session, payload: dict[str, Any]) -> None:
    """An update of a join way was made; where a later one overtook it, it is made again."""
    route = session.scalar(select(Route).where(Route.config_id == payload["config_id"]).with_for_update())
    if route is not None and route.listed != payload["chat_id_list"]:
        _post(session, route)


def refresh(session: Session, route: Route) -> None:
    """Let the code lead to the chats that have room now; where none has, it stays as it is."""
    wanted = to_list(fills(session, route.id), route.capacity)
    if wanted and wanted != route.listed:
        route.listed = wanted
        if route.config_id:
            _post(session, route)


def refresh_of(session: Session, chat_id: str) -> None:
    """Refresh every route whose pool has this chat."""
    routes = select(Route).join(RouteChat, RouteChat.route_id == Route.id).where(RouteChat.chat_id == chat_id)
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


def takes_in(session: Session, route: Route) -> bool:
    """Whether the route's code may be shown: a chat has room, or WeCom will make the next one."""
    return grows(route) or bool(open_chats(session, route))


def grows(route: Route) -> bool:
    """Whether WeCom makes a new chat when all are full; not where the capacity is below WeCom's own."""
    return route.capacity >= CAPACITY


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
