"""Who sits where, as lists: in a chat of another route than hers, in several at once, how chats fare (T7)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, cast, func, select
from sqlalchemy.orm import Session

from bot.core import clock
from tags.groups.models import GroupAssignment, GroupChat, GroupMember, Route, RouteChat, SegmentGroup
from tags.people.models import Customer

WEEK = timedelta(days=7)

SEATED = GroupMember.left_at.is_(None)


@dataclass(frozen=True)
class Week:
    """Customers who came into a chat, and who left one, within the last 7 days."""

    joined: int = 0
    left: int = 0


def wrong(segment_group_id: int | None = None) -> Select[Any]:
    """(seat_id, chat_id, customer_id, route_id): who sits in a chat of another route than hers, which is route_id.

    Of one segment group, or of all.
    """
    hers = func.coalesce(Customer.survivor_id, Customer.id).label("customer_id")
    belongs = select(hers, GroupAssignment.route_id, GroupAssignment.segment_group_id)
    belongs = belongs.join(GroupAssignment, GroupAssignment.customer_id == Customer.id)
    standing = belongs.where(GroupAssignment.ended_at.is_(None)).distinct().subquery()
    elsewhere = (standing.c.segment_group_id == Route.segment_group_id) & (standing.c.route_id != Route.id)
    found = (
        select(GroupMember.id.label("seat_id"), GroupMember.chat_id, standing.c.customer_id, standing.c.route_id)
        .join(RouteChat, RouteChat.chat_id == GroupMember.chat_id)
        .join(Route, (Route.id == RouteChat.route_id) & Route.removed_at.is_(None))
        .join(standing, (standing.c.customer_id == GroupMember.customer_id) & elsewhere)
        .where(SEATED)
    )
    return found if segment_group_id is None else found.where(Route.segment_group_id == segment_group_id)


def wrong_counts(session: Session, segment_group_id: int) -> dict[int, int]:
    """How many customers of each route sit in a chat of another."""
    found = wrong(segment_group_id).subquery()
    counted = select(found.c.route_id, func.count(found.c.customer_id.distinct())).group_by(found.c.route_id)
    return dict(session.execute(counted).all())


def duplicates(segment_group_id: int) -> Select[Any, Any, Any, Any]:
    """(seat_id, customer_id, external_userid, chats): who sits in several chats of one segment group.

    customer_id: None where she is nobody's contact. seat_id: the oldest of her seats, by which the list goes on.
    """
    person = func.coalesce(cast(GroupMember.customer_id, Text), GroupMember.external_userid)
    return (
        select(
            func.min(GroupMember.id).label("seat_id"),
            func.max(GroupMember.customer_id).label("customer_id"),
            func.min(GroupMember.external_userid).label("external_userid"),
            func.array_agg(GroupMember.chat_id.distinct()).label("chats"),
        )
        .join(RouteChat, RouteChat.chat_id == GroupMember.chat_id)
        .join(Route, (Route.id == RouteChat.route_id) & Route.removed_at.is_(None))
        .where(Route.segment_group_id == segment_group_id, SEATED)
        .group_by(person)
        .having(func.count(GroupMember.chat_id.distinct()) > 1)
    )


def paged(query: Select[Any]) -> tuple[Select[Any], list[ColumnElement[int]]]:
    """One of the lists above, to be read page by page: the query, and its order."""
    found = query.subquery()
    return select(found), [found.c.seat_id]


def count(session: Session, query: Select[Any]) -> int:
    """How many rows a list has."""
    return session.scalar(select(func.count()).select_from(query.subquery())) or 0


def joined(session: Session, segment_group_id: int) -> dict[int, int]:
    """How many customers sit in the chats of each route."""
    seats = select(RouteChat.route_id, func.count(GroupMember.external_userid.distinct()))
    seats = seats.join(GroupMember, GroupMember.chat_id == RouteChat.chat_id).join(
        Route, Route.id == RouteChat.route_id
    )
    here = seats.where(Route.segment_group_id == segment_group_id, SEATED)
    return dict(session.execute(here.group_by(RouteChat.route_id)).all())


def weeks(session: Session, chat_ids: Sequence[str]) -> dict[str, Week]:
    """How each of these chats fared within the last 7 days."""
    since = clock.now() - WEEK
    came, went = (func.count().filter(moment > since) for moment in (GroupMember.joined_at, GroupMember.left_at))
    counted = select(GroupMember.chat_id, came, went).where(GroupMember.chat_id.in_(chat_ids))
    return {chat_id: Week(*told) for chat_id, *told in session.execute(counted.group_by(GroupMember.chat_id))}


def leads(session: Session, chat_ids: Sequence[str]) -> dict[str, list[tuple[Route, SegmentGroup]]]:
    """The routes whose pools have each of these chats, with their segment groups."""
    pools = select(RouteChat.chat_id, Route, SegmentGroup).join(Route, Route.id == RouteChat.route_id)
    pools = pools.join(SegmentGroup, SegmentGroup.id == Route.segment_group_id)
    found: dict[str, list[tuple[Route, SegmentGroup]]] = {}
    for chat_id, route, group in session.execute(
        pools.where(RouteChat.chat_id.in_(chat_ids), Route.removed_at.is_(None)).order_by(Route.id)
    ):
        found.setdefault(chat_id, []).append((route, group))
    return found


def names(session: Session, chat_ids: Sequence[str]) -> dict[str, str]:
    """What these chats are called: their ids where WeCom tells no name."""
    known = select(GroupChat.chat_id, GroupChat.name).where(GroupChat.chat_id.in_(chat_ids))
    return {chat_id: name or chat_id for chat_id, name in session.execute(known)}
