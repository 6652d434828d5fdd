"""What the customer object, and her page, know of the group chats she is in (C3)."""

from collections.abc import Sequence
from typing import Any

from flask import render_template
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.web.pages import pages
from tags.groups.models import GroupChat, GroupMember
from tags.people.cards import CustomerAnswer, SeatAnswer, facet
from tags.people.panels import tab
from tags.people.service import family

JOIN_SCENES = {1: _l("成员邀请"), 2: _l("邀请链接"), 3: _l("扫入群码")}

console = pages("seats", __name__)  # no page of its own; where its templates are found


@facet("groups")
def groups(session: Session, customer_ids: Sequence[int]) -> dict[int, list[SeatAnswer]]:
    """The chats each of these customers (survivors) sits in, in the order in which she came."""
    seats = select(GroupMember.customer_id, GroupChat.chat_id, GroupChat.name, GroupMember.joined_at)
    hers = seats.join(GroupChat, GroupChat.chat_id == GroupMember.chat_id).where(
        GroupMember.customer_id.in_(customer_ids), GroupMember.left_at.is_(None)
    )
    found: dict[Any, list[SeatAnswer]] = {}  # the column may be null, these are not
    for customer_id, chat_id, name, joined_at in session.execute(hers.order_by(GroupMember.joined_at, GroupMember.id)):
        found.setdefault(customer_id, []).append(SeatAnswer(chat_id=chat_id, name=name, joined_at=joined_at))
    return found


@tab("groups", _l("社群"), place=50)
def seats(session: Session, customer: CustomerAnswer) -> str:
    """Every chat she has been in, the newest first."""
    query = select(GroupMember, GroupChat.name).join(GroupChat, GroupChat.chat_id == GroupMember.chat_id)
    hers = query.where(GroupMember.customer_id.in_(family(session, int(customer.id))))
    rows = session.execute(hers.order_by(GroupMember.joined_at.desc(), GroupMember.id.desc())).all()
    return render_template("groups_of_hers/_tab.html", seats=rows, scenes=JOIN_SCENES)
