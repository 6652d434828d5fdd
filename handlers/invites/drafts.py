"""The editor of a segment group: its form read, altered by its own buttons, previewed and saved (T7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from flask_babel import gettext as _
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Problem
from bot.web.at_once import at_once
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.language import spoken
from bot.web.pages import go, render, toast
from handlers.invites import editing
from handlers.invites.models import InvitationText
from handlers.messaging.placeholders import MARK, longest, placeholders, samples
from tags.groups import joinways, routes
from tags.groups.editing import Wanted
from tags.groups.models import GroupChat, Route, SegmentGroup
from tags.groups.routes import Forecast
from tags.groups.rules import CAPACITY
from tags.people.names import name_key
from tags.segments import service as segments
from tags.segments.models import Segment
from tags.tagging import groups as tag_groups

TEXT_BYTES, LONGEST_NAME, LONGEST_TEXT, MOST_DAYS = 1000, 40, 1000, 90
WHEN_FULL = ("new_chat", "wait")
FIELDS = ("id", "by", "capacity", "when_full")  # of a route, beside its chats


@dataclass(frozen=True)
class Preview:
    """What she would see, and what each route would mean; None for a route that goes by nothing yet."""

    messages: list[dict[str, Any]]
    said: dict[str, str]
    name: str
    routes: list[tuple[str, Forecast | None]]

    @property
    def kv(self) -> list[tuple[str, str]]:
        """Each route with how many it would have."""
        return [
            (words, _("%(belong)s 人，%(invite)s 人要请", belong=one.belong, invite=one.to_invite) if one else "—")
            for words, one in self.routes
        ]

    @property
    def belong(self) -> int:
        return sum(one.belong for _words, one in self.routes if one)

    @property
    def to_invite(self) -> int:
        return sum(one.to_invite for _words, one in self.routes if one)


def page(group: SegmentGroup | None) -> BaseResponse:
    """The editor, its own buttons, and saving."""
    form = Form.sent() if request.method == "POST" else Form(_values(group))
    op = str(form.values.get("op", ""))
    if op:
        _alter(form, op)
    elif request.method == "POST" and (saved := _saved(form, group)):
        return go(url_for("groups_pages.show", group_id=saved))
    return render(
        "groups/edit.html", "groups/_edit.html", status=422 if form.errors else 200, form=form, group=group,
        numbers=range(_count(form)), bases=_bases(session()), chats=_chats(session(), form), preview=_preview(form),
        capacity=CAPACITY, when_full=[("new_chat", _("企业微信自动建新群")), ("wait", _("等有人退群或加新群"))],
        names=[one.names[-1] for one in placeholders],
    )  # fmt: skip


def preview() -> Preview:
    """For the form of this request."""
    return _preview(Form.sent())


def basis_words(session: Session, own: Iterable[Route]) -> dict[int, str]:
    """What each of these routes goes by, in words."""
    lang = spoken()
    return {one.id: routes.basis(one.tag_id, one.segment_id).words(session, lang) for one in own}


def _saved(form: Form, group: SegmentGroup | None) -> int | None:
    """The segment group's id where it was saved; else the form says why not."""
    name, text = form.text("name", _("名称"), longest=LONGEST_NAME), _text(form)
    days = form.integer("remind_after_days", _("提醒"), least=1, most=MOST_DAYS, optional=True)
    wanted = [_wanted(form, n) for n in range(_count(form))]
    if not wanted:
        form.refuse("routes", _("至少要有一条路线"))
    if form.errors or not form.first():
        return group.id if group and not form.errors else None
    invite = form.checked("invite_existing")
    group_id = group.id if group else None
    try:
        made, confirmed = at_once(lambda own: _write(own, group_id, name, wanted, text, days, invite))
    except Problem as problem:
        _take(form, problem)
        return None
    toast(_("已保存") if confirmed else _("已保存，企业微信还没有回话，稍后会自己对上"))
    return made


def _write(
    own: Session, group_id: int | None, name: str, wanted: list[Wanted], text: str, days: int | None, invite: bool
) -> int:
    if group_id is None:
        return editing.make(own, name, wanted, text, days, invite=invite)
    editing.change(own, group_id, name=name, wanted=wanted, text=text, invite=invite, remind_after_days=days)
    return group_id


def _text(form: Form) -> str:
    text = form.text("text", _("她看到的话"), longest=LONGEST_TEXT)
    known = {name for one in placeholders for name in one.names}
    strange = next((one for one in MARK.findall(text) if one not in known), None)
    if strange is not None:
        form.refuse("text", _("没有 %(found)s 这个占位符", found=f"{{{strange}}}"))
    elif longest(text) > TEXT_BYTES:
        form.refuse("text", _("填好占位符后最多 %(most)s 字节（一个汉字 3 字节）", most=TEXT_BYTES))
    return text


def _wanted(form: Form, n: int) -> Wanted:
    kind, _colon, number = str(form.values.get(f"r{n}_by", "")).partition(":")
    if not number.isdecimal():
        form.refuse(f"r{n}_by", _("选一个标签或客群"))
    chats = [str(one) for one in form.values.getlist(f"r{n}_chats")]
    if not chats:
        form.refuse(f"r{n}_chats", _("至少选一个群"))
    capacity = form.integer(f"r{n}_capacity", _("每群人数"), least=1, most=CAPACITY) or CAPACITY
    full = form.choice(f"r{n}_when_full", _("满了怎么办"), WHEN_FULL)
    if full == "new_chat" and capacity < CAPACITY:
        form.refuse(f"r{n}_when_full", _("企业微信只在群满 %(most)s 人时自动建新群；人数更少就选等", most=CAPACITY))
    of_tag = int(number) if number.isdecimal() and kind == "tag" else None
    of_segment = int(number) if number.isdecimal() and kind == "segment" else None
    known = str(form.values.get(f"r{n}_id", ""))
    return Wanted(of_tag, of_segment, chats, capacity, full or None, int(known) if known.isdecimal() else None)  # type: ignore[arg-type]


def _take(form: Form, problem: Problem) -> None:
    """The service's refusals at the fields their pointers name: `/routes/1/chats/0` is `r1_chats`."""
    for fault in problem.faults:
        parts = fault.pointer.strip("/").split("/")
        if parts[0] == "routes" and len(parts) > 2:
            field = "by" if parts[2] in ("tag_id", "segment_id") else parts[2]
            form.refuse(f"r{parts[1]}_{field}", fault.said)
        else:
            form.refuse("", fault.said)
    if not problem.faults:
        form.refuse("", problem.said)


def _alter(form: Form, op: str) -> None:
    """Do what one of the editor's own buttons says: `add`, `up.1`, `down.1`, `del.1`."""
    rows = [_row(form, n) for n in range(_count(form))]
    what, _dot, number = op.partition(".")
    n = int(number) if number.isdecimal() else -1
    if what == "add":
        rows.append({**dict.fromkeys(FIELDS, ""), "capacity": str(CAPACITY), "when_full": "new_chat", "chats": []})
    elif what == "del" and 0 <= n < len(rows):
        rows.pop(n)
    elif what in ("up", "down") and 0 <= n < len(rows) and 0 <= (to := n - 1 if what == "up" else n + 1) < len(rows):
        rows[n], rows[to] = rows[to], rows[n]
    kept = [(name, value) for name, value in form.values.items(multi=True) if name not in _numbered(form)]
    form.values = MultiDict([one for one in kept if one[0] != "op"] + _fields(rows))


def _values(group: SegmentGroup | None) -> MultiDict[str, Any]:
    if group is None:
        rows = [{"id": "", "by": "", "capacity": str(CAPACITY), "when_full": "new_chat", "chats": []}]
        return MultiDict([("remind_after_days", "3"), *_fields(rows)])
    said = session().get_one(InvitationText, group.id)
    rows = [
        {
            "id": str(one.id), "by": f"tag:{one.tag_id}" if one.tag_id is not None else f"segment:{one.segment_id}",
            "capacity": str(one.capacity), "when_full": one.when_full,
            "chats": [chat.chat_id for chat in joinways.fills(session(), one.id)],
        }
        for one in routes.routes_of(session(), group.id)
    ]  # fmt: skip
    days = "" if said.remind_after_days is None else str(said.remind_after_days)
    return MultiDict([("name", group.name), ("text", said.text), ("remind_after_days", days), *_fields(rows)])


def _fields(rows: list[dict[str, Any]]) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = [("routes", str(len(rows)))]
    for n, row in enumerate(rows):
        found += [(f"r{n}_{name}", row[name]) for name in FIELDS]
        found += [(f"r{n}_chats", chat) for chat in row["chats"]]
    return found


def _row(form: Form, n: int) -> dict[str, Any]:
    row: dict[str, Any] = {name: str(form.values.get(f"r{n}_{name}", "")) for name in FIELDS}
    return row | {"chats": [str(one) for one in form.values.getlist(f"r{n}_chats")]}


def _numbered(form: Form) -> set[str]:
    return {"routes", *(f"r{n}_{name}" for n in range(_count(form)) for name in (*FIELDS, "chats"))}


def _count(form: Form) -> int:
    typed = str(form.values.get("routes", "0"))
    return min(int(typed), 100) if typed.isdecimal() else 0


def _preview(form: Form) -> Preview:
    text = str(form.values.get("text", "")).strip()
    messages: list[dict[str, Any]] = [{"text": text}] if text else []
    card = {"icon": "link", "title": _("点击进群"), "note": _("打开后长按识别二维码，即可加入群聊")}
    known = dict(_bases(session()))
    rows = [_row(form, n) for n in range(_count(form))]
    chosen = [(row, _leaf(row["by"])) for row in rows if row["by"] in known]
    told = iter(routes.forecast(session(), [(leaf, row["chats"]) for row, leaf in chosen]))
    shown = [(known.get(row["by"], _("还没选")), next(told) if row["by"] in known else None) for row in rows]
    return Preview([*messages, {"card": card}], samples(), str(form.values.get("name", "")), shown)


def _leaf(by: str) -> Any:
    kind, _colon, number = by.partition(":")
    return routes.basis(int(number), None) if kind == "tag" else routes.basis(None, int(number))


def _bases(session: Session) -> list[tuple[str, str]]:
    """What a route may go by, as (value, words): tags with their groups, then segments."""
    tags = [
        (f"tag:{tag.id}", _("标签 %(group)s · %(name)s", group=group.name, name=tag.name))
        for group, tags in tag_groups.all_groups(session) for tag in tags
    ]  # fmt: skip
    named = session.scalars(segments.listing().order_by(Segment.name))
    return [*tags, *((f"segment:{one.id}", _("客群 %(name)s", name=one.name)) for one in named)]


def _chats(session: Session, form: Form) -> list[list[tuple[str, bool, list[tuple[str, str, str]]]]]:
    """For each route the chats to choose from: its own first, in the order in which they fill."""
    living = select(GroupChat).where(GroupChat.dismissed_at.is_(None)).order_by(GroupChat.chat_id)
    known = {one.chat_id: one for one in session.scalars(living)}
    found = []
    for n in range(_count(form)):
        own = [str(one) for one in form.values.getlist(f"r{n}_chats")]
        order = [*own, *(one for one in known if one not in own)]
        rows = [(one, _chat_words(known.get(one), one), name_key(known[one].name) if one in known else "")
                for one in order]  # fmt: skip
        found.append([(_("按勾选前后的顺序填满"), False, rows)])
    return found


def _chat_words(chat: GroupChat | None, chat_id: str) -> str:
    if chat is None:
        return chat_id
    return str(_("%(name)s · %(people)s 人", name=chat.name or chat_id, people=chat.people))
