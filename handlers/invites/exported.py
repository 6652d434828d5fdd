"""客户群与社群 as files: the group chats, and who belongs to a segment group, with what became of her invitation."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from flask import request
from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.operators import exports
from bot.web.edge import session
from bot.web.guard import needs
from handlers.invites import drafts, lists
from handlers.invites.pages import REASONS, STATUSES, console, wanted_chats, wanted_members
from tags.groups import lists as seats
from tags.groups import routes
from tags.groups.models import GroupAssignment, GroupChat
from tags.people import staff


@console.get("/groups/chats/export")
@needs("segment-groups:read")
def export_chats() -> BaseResponse:
    """The list of group chats."""
    words, gone = request.args.get("q", "").strip(), request.args.get("gone") == "1"
    heads = [
        _("群 ID"),
        _("群"),
        _("群主"),
        _("人数"),
        _("路线"),
        _("7 天进群"),
        _("7 天退群"),
        _("更新于"),
        _("解散于"),
    ]
    asked = {name: value for name, value in (("q", words), ("gone", "1" if gone else "")) if value}
    order = [GroupChat.__table__.c.chat_id]
    return exports.listed("group_chat", _("客户群"), heads, wanted_chats(words, gone), order, _chats, asked)


@console.get("/groups/<int:group_id>/export")
@needs("segment-groups:read")
def export_members(group_id: int) -> BaseResponse:
    """Who belongs to a segment group."""
    group = routes.get(session(), group_id)
    heads = [
        _("客户 ID"),
        _("客户"),
        _("路线"),
        _("归属于"),
        _("进展"),
        _("原因"),
        _("邀请于"),
        _("打开于"),
        _("提醒于"),
    ]
    asked = {name: value for name in ("status", "route") if (value := request.args.get(name))}
    order = [GroupAssignment.__table__.c.id]
    cells = partial(_members, group_id=group_id)
    return exports.listed(
        "segment_group", group.name, heads, wanted_members(group_id), order, cells, asked, desc=True
    )  # fmt: skip


def _chats(reading: Session, rows: Sequence[GroupChat]) -> Iterator[exports.Row]:
    ids = [row.chat_id for row in rows]
    weeks, leads = seats.weeks(reading, ids), seats.leads(reading, ids)
    bases = drafts.basis_words(reading, [route for each in leads.values() for route, _group in each])
    names = staff.names(reading, {row.owner for row in rows})
    for row in rows:
        own = "、".join(f"{group.name} {bases[route.id]}" for route, group in leads.get(row.chat_id, ()))
        week = weeks.get(row.chat_id, seats.Week())
        yield [
            row.chat_id, row.name, names.get(row.owner, row.owner), row.people, own, week.joined, week.left,
            row.read_at, row.dismissed_at,
        ]  # fmt: skip


def _members(reading: Session, rows: Sequence[Any], *, group_id: int) -> Iterator[exports.Row]:
    bases = drafts.basis_words(reading, routes.routes_of(reading, group_id))
    for one in map(lists.Belonging._make, rows):
        why = str(REASONS.get(one.reason, one.reason))
        yield [
            one.customer_id, one.name, bases.get(one.route_id), one.since, str(STATUSES[one.status]), why, one.sent_at,
            one.clicked_at, one.reminded_at,
        ]  # fmt: skip
