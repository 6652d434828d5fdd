"""渠道活码: the codes with what they brought, their pictures, and the drawer in which one is made or changed (F1)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Problem
from bot.operators import exports
from bot.web import cursors, pictures
from bot.web.at_once import at_once
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.menu import Found, finder, listed
from bot.web.pages import drawer, go, pages, render, toast
from bot.web.show import explained
from bot.wecom.errors import code_in
from handlers.livecodes import addings, service
from handlers.livecodes.models import LiveCode
from handlers.messaging import pages as messages
from handlers.messaging.content import Content
from tags.groups.models import SegmentGroup
from tags.people import staff
from tags.people.names import name_key
from tags.tagging import groups as tag_groups

PER_PAGE = 50
LONGEST_NAME, LONGEST_USERID, MOST_STAFF, MOST_CAP = 60, 64, 100, 10_000
KEPT = ("name", "daily_cap", "skip_verify", "segment_group_id", "remark_channel")

console = pages("livecodes", __name__)


@dataclass(frozen=True)
class State:
    """How a code stands with WeCom, in words; why where there is more to say."""

    tone: str
    words: str
    why: str = ""


@console.get("/live-codes")
@listed("growth", _l("渠道活码"), "qr-code", "/console/live-codes", place=10)
@needs("live-codes:read")
def index() -> Response:
    closed = request.args.get("closed") == "1"
    order = [LiveCode.__table__.c.id]
    rows, following = cursors.page(
        session(), service.listing(closed), order, PER_PAGE, request.args.get("cursor"), desc=True
    )
    brought = addings.results(session(), [row.id for row in rows])
    shown = [(row, brought.get(row.id, addings.Results()), state_of(row)) for row in rows]
    return render(
        "livecodes/index.html", codes=shown, following=following, closed=closed, tags=_tag_names(session()),
        names=staff.names(session(), {userid for row in rows for userid in row.staff}),
    )  # fmt: skip


@console.get("/live-codes/export")
@needs("live-codes:read")
def export() -> BaseResponse:
    """The list as a file."""
    closed = request.args.get("closed") == "1"
    heads = [_("名称"), _("成员"), _("标签"), _("状态"), _("今天"), _("累计"), _("已流失"), _("建于")]
    return exports.listed(
        "live_code", _("渠道活码"), heads, service.listing(closed), [LiveCode.__table__.c.id], _cells,
        {"closed": "1"} if closed else {}, desc=True,
    )  # fmt: skip


def _cells(reading: Session, rows: Sequence[LiveCode]) -> Iterator[exports.Row]:
    brought, tags = addings.results(reading, [row.id for row in rows]), _tag_names(reading)
    names = staff.names(reading, {userid for row in rows for userid in row.staff})
    for row in rows:
        fares = brought.get(row.id, addings.Results())
        members, held = (names.get(one, one) for one in row.staff), (tags[one] for one in row.tags if one in tags)
        yield [
            row.name, "、".join(members), "、".join(held), state_of(row).words, fares.today, fares.total, fares.left,
            row.created_at,
        ]  # fmt: skip


@console.route("/live-codes/new", methods=["GET", "POST"])
@needs("live-codes:write")
def new() -> BaseResponse:
    form = Form.sent() if request.method == "POST" else Form({"skip_verify": "1"})
    return _edit(form, None)


@console.route("/live-codes/<int:code_id>", methods=["GET", "POST"])
@needs("live-codes:write")
def edit(code_id: int) -> BaseResponse:
    code = service.get(session(), code_id)
    form = Form.sent() if request.method == "POST" else Form(_values(code))
    return _edit(form, code)


@console.get("/live-codes/<int:code_id>/picture")
@needs("live-codes:read")
def picture(code_id: int) -> BaseResponse:
    """The drawer with the code to scan and to download; its address is a path, as the page's own policy asks."""
    code = service.get(session(), code_id)
    address = pictures.paths(session(), [code.qr_code])[code.qr_code]
    return drawer("livecodes/_picture.html", code.name, Form(), code=code, address=address, state=state_of(code))


@console.post("/live-codes/<int:code_id>/delete")
@needs("live-codes:write")
def delete(code_id: int) -> BaseResponse:
    _gone, confirmed = at_once(lambda own: service.close(own, code_id))
    toast(_("活码已删除") if confirmed else _("企业微信还没有回话，删除会自己完成"))
    return go(url_for(".index"))


@finder(_l("渠道活码"), "live-codes:read")
def find_codes(session: Session, words: str) -> list[Found]:
    named = service.listing().where(LiveCode.name.contains(words, autoescape=True)).limit(5)
    found = session.scalars(named) if words else ()
    return [Found(code.name, url_for("livecodes_pages.picture", code_id=code.id), "qr-code") for code in found]


def state_of(code: LiveCode) -> State:
    """How a code stands with WeCom."""
    if code.closed_at is not None:
        return State("", _("已删除"))
    if code.error:
        return State("bad", _("企业微信拒绝了"), explained(code_in(code.error)) or code.error)
    if code.outbox_id is not None:
        return State("warn", _("等企业微信"))
    resting = [one for one in code.staff if code.duty and one not in code.duty]
    if resting:
        return State("info", _("%(count)s 人今天满了", count=len(resting)))
    return State("good", _("可以扫"))


def _edit(form: Form, code: LiveCode | None) -> BaseResponse:
    saved = Content.model_validate(code.welcome) if code and code.welcome else None
    if request.method == "POST":
        values = _read(form, saved)
        if not form.errors and _done(form, code, values):
            return go(url_for(".index"))
    title = _("修改活码") if code else _("新建活码")
    chosen = [str(one) for one in form.values.getlist("staff")]
    return drawer(
        "livecodes/_edit.html", title, form, code=code, draft=messages.draft(session(), form, saved),
        members=[(_("成员"), False, staff.choices(session(), chosen))], chosen=chosen, tags=_tag_choices(),
        chosen_tags=[int(one) for one in form.values.getlist("tags") if str(one).isdigit()],
        segment_groups=[("", _("不邀请进群")), *((str(one.id), one.name) for one in _segment_groups())],
    )  # fmt: skip


def _read(form: Form, saved: Content | None) -> dict[str, Any]:
    typed = form.text("more_staff", _("其他成员"), longest=MOST_STAFF * LONGEST_USERID, optional=True)
    userids = [*map(str, form.values.getlist("staff")), *typed.split()]
    members = list(dict.fromkeys(one for one in userids if one))
    if not 1 <= len(members) <= MOST_STAFF or any(len(one) > LONGEST_USERID for one in members):
        form.refuse("staff", _("选 1 到 %(most)s 位成员", most=MOST_STAFF))
    group = form.choice("segment_group_id", _("客户群"), [str(one.id) for one in _segment_groups()], optional=True)
    return {
        "name": form.text("name", _("名称"), longest=LONGEST_NAME), "staff": members,
        "daily_cap": form.integer("daily_cap", _("每日上限"), least=1, most=MOST_CAP, optional=True),
        "skip_verify": form.checked("skip_verify"), "remark_channel": form.checked("remark_channel"),
        "tags": [int(one) for one in form.values.getlist("tags") if str(one).isdigit()],
        "segment_group_id": int(group) if group else None, "welcome": messages.read(form, saved, optional=True),
    }  # fmt: skip


def _done(form: Form, code: LiveCode | None, values: dict[str, Any]) -> bool:
    """Whether it was saved; else the form says why not."""
    if not form.first():
        return True
    code_id = code.id if code else None
    try:
        _code, confirmed = at_once(
            lambda own: service.make(own, values) if code_id is None else service.change(own, code_id, values)
        )
    except Problem as problem:
        form.take(problem)
        return False
    toast(_("已保存") if confirmed else _("已保存，企业微信还没有回话，稍后会自己对上"))
    return True


def _values(code: LiveCode) -> dict[str, Any]:
    welcome = messages.values(Content.model_validate(code.welcome) if code.welcome else None)
    return {**{name: getattr(code, name) for name in KEPT}, "staff": code.staff, "tags": code.tags, **welcome}


def _tag_choices() -> list[tuple[str, bool, list[tuple[int, str, str]]]]:
    return [
        (group.name, group.single_choice, [(tag.id, tag.name, name_key(tag.name)) for tag in tags])
        for group, tags in tag_groups.all_groups(session()) if group.kind != "computed"
    ]  # fmt: skip


def _tag_names(session: Session) -> dict[int, str]:
    return {tag.id: tag.name for _group, tags in tag_groups.all_groups(session) for tag in tags}


def _segment_groups() -> list[SegmentGroup]:
    return list(session().scalars(select(SegmentGroup).order_by(SegmentGroup.id.desc())))
