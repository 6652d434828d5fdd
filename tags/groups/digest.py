"""What the owner of a group chat is told: who sits there and belongs into another one (T7)."""

import hashlib
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from bot.core.i18n import SOURCE, say
from tags.groups import lists
from tags.groups.models import GroupChat, Route, RouteChat
from tags.people import staff
from tags.people.models import Customer

NAMED = 10  # customers a message names; a text takes 2048 bytes


def tell_owners(session: Session) -> int:
    """Write to each owner whose chats somebody sits in who belongs elsewhere, once for each set of them.

    Returns how many owners have such.
    """
    by_owner: dict[str, list[Any]] = {}
    found = lists.wrong().subquery()
    seats = (
        select(GroupChat.owner, GroupChat.name, Customer.name.label("who"), found.c.seat_id, found.c.route_id)
        .join(found, found.c.chat_id == GroupChat.chat_id)
        .join(Customer, Customer.id == found.c.customer_id)
        .where(GroupChat.owner != "")
    )
    for row in session.execute(seats.order_by(GroupChat.owner, GroupChat.chat_id, found.c.seat_id)):
        by_owner.setdefault(row.owner, []).append(row)
    leads_to = _first_chats(session, {row.route_id for rows in by_owner.values() for row in rows})
    for owner, rows in by_owner.items():
        seen = hashlib.sha256(repr([(row.seat_id, row.route_id) for row in rows]).encode()).hexdigest()
        staff.tell(session, owner, _words(rows, leads_to), dedupe=f"wrong group:{owner}:{seen}", customer_id=None)
    return len(by_owner)


def _words(rows: list[Any], leads_to: dict[int, str]) -> str:
    lines = [say(SOURCE, "您的群里有 %(count)s 位客户现在归别的群，请引导她们过去：", count=len(rows))]
    lines += [
        say(SOURCE, "「%(chat)s」%(who)s → 「%(group)s」", chat=row.name, who=row.who or say(SOURCE, "客户"),
            group=leads_to.get(row.route_id, ""))
        for row in rows[:NAMED]
    ]  # fmt: skip
    if len(rows) > NAMED:
        lines.append(say(SOURCE, "还有 %(count)s 位", count=len(rows) - NAMED))
    return "\n".join(lines)


def _first_chats(session: Session, route_ids: set[int]) -> dict[int, str]:
    """What the first chat of each route's pool is called."""
    first = select(Route.id, GroupChat.name).join(RouteChat, RouteChat.route_id == Route.id)
    first = first.join(GroupChat, GroupChat.chat_id == RouteChat.chat_id)
    rows = first.where(Route.id.in_(route_ids)).order_by(Route.id, RouteChat.place).ext(distinct_on(Route.id))
    return dict(session.execute(rows).all())
