"""客户公海: who is in the pool, whose turn she is, sharing out, and what each member made of it (C8)."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Problem
from bot.operators import exports
from bot.web import cursors
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.menu import listed
from bot.web.pages import drawer, go, link, pages, render, toast
from handlers.leads import listing, service, share, standing
from handlers.leads.models import Lead
from tags.conditions.tree import parse
from tags.people import staff
from tags.people.models import Customer
from tags.tagging.models import Tag

PER_PAGE = 50
STATES = {"open": _l("待分配"), "handed_out": _l("添加中"), "added": _l("已添加"), "refused": _l("不愿意加")}
SOURCES = {"buyer": _l("买过"), "import": _l("导入")}
RESULTS = {
    "added": _l("已添加"), "refused": _l("不愿意加"), "no_answer": _l("没有回应"), "returned": _l("还回"),
    "expired": _l("到期收回"), "open": _l("添加中"),
}  # fmt: skip
MOST_CHOICES = 200

console = pages("leads", __name__)


@console.get("/leads")
@listed("customers", _l("客户公海"), "inbox", "/console/leads", place=60)
@needs("leads:read")
def index() -> Response:
    state = request.args.get("state", "") if request.args.get("state", "") in STATES else ""
    userid = request.args.get("userid", "")
    rows, following = cursors.page(
        session(), listing.of_state(state, userid), [Lead.__table__.c.id], PER_PAGE, request.args.get("cursor")
    )
    counts, results = service.counts(session()), service.results(session())
    views = [(_("全部"), link(state=None, cursor=None), sum(counts.get(one, 0) for one in STATES), not state)]
    views += [
        (str(label), link(state=one, cursor=None), counts.get(one, 0), one == state) for one, label in STATES.items()
    ]
    shown = listing.listed(session(), rows)
    userids = {turn.userid for one in shown for turn in one.turns} | set(results)
    rules = standing.everything(session())
    return render(
        "leads/index.html", leads=shown, views=views, following=following, states=STATES, sources=SOURCES,
        results=results, labels=RESULTS, columns=[(str(label), "num") for label in RESULTS.values()], userid=userid,
        rules=rules,
        names=staff.names(session(), userids | {one for rule in rules for one in rule.staff}),
    )  # fmt: skip


@console.get("/leads/export")
@needs("leads:read")
def export() -> BaseResponse:
    """The list as a file, phones whole for who may see them so."""
    state, userid = request.args.get("state", ""), request.args.get("userid", "")
    state = state if state in STATES else ""
    heads = [
        _("客户 ID"), _("客户"), _("手机"), _("城市"), _("来源"), _("状态"), _("成员"), _("到期"), _("经过"),
    ]  # fmt: skip
    asked = {name: value for name, value in (("state", state), ("userid", userid)) if value}
    cells = partial(_cells, whole=exports.plain_phones())
    query = listing.of_state(state, userid)
    return exports.listed("lead", _("客户公海"), heads, query, [Lead.__table__.c.id], cells, asked)


def _cells(reading: Session, rows: Sequence[Lead], *, whole: bool) -> Iterator[exports.Row]:
    shown = listing.listed(reading, rows, whole=whole)
    names = staff.names(reading, {turn.userid for one in shown for turn in one.turns})
    for one in shown:
        turn = one.turn if one.turn and not one.turn.ended_at else None
        past = [
            f"{names.get(ended.userid, ended.userid)} {RESULTS[ended.result]}" for ended in one.turns if ended.ended_at
        ]
        yield [
            one.customer_id, one.name, one.phone, one.city, str(SOURCES[one.source]), str(STATES[one.state]),
            names.get(turn.userid, turn.userid) if turn else None, turn.due_at if turn else None, "、".join(past),
        ]  # fmt: skip


@console.route("/leads/share-out", methods=["GET", "POST"])
@needs("leads:write")
def share_out() -> BaseResponse:
    """The drawer in which an operator shares out, once or each morning."""
    form = Form({"most": "100"})
    members = staff.choices(session())
    if request.method == "POST":
        form = Form.sent()
        userids = form.choices("staff", _("成员"), [userid for userid, _name, _key in members], optional=False)
        most = form.integer("most", _("人数"), least=1, most=share.MOST)
        where = _where(form)
        if not form.errors and most and _shared(form, userids, where, most):
            return go(url_for(".index"))
    return drawer(
        "leads/_share.html", _("分给成员"), form, tags=_tags(), cities=[(city, city) for city in _cities()],
        members=[(userid, name, None) for userid, name, _key in members], counts=service.counts(session()),
    )  # fmt: skip


@console.post("/leads/<int:lead_id>/result")
@needs("leads:write")
def report(lead_id: int) -> BaseResponse:
    """An operator notes what a member told him, or takes her back."""
    result = Form.sent().choice("result", _("结果"), ("refused", "no_answer", "returned"))
    if result:
        service.report(session(), lead_id, result)  # type: ignore[arg-type]
        toast(_("已记下"))
    return go(url_for(".index"))


@console.post("/leads/rules/<int:rule_id>/delete")
@needs("leads:write")
def delete_rule(rule_id: int) -> BaseResponse:
    standing.remove(session(), rule_id)
    toast(_("规则已删除，已经分出去的不变"))
    return go(url_for(".index"))


def _shared(form: Form, userids: list[str], where: dict[str, Any] | None, most: int) -> bool:
    """Whether it was shared out; else the form says why not."""
    try:
        tree = parse(session(), where, "/where") if where is not None else None
        if form.first():
            if form.checked("daily"):
                standing.make(session(), form.text("name", _("规则名称"), longest=60), where, userids)
            done = share.share_out(session(), userids, tree, most)
            toast(
                _("分出去 %(given)s 位，符合条件的还剩 %(left)s 位", given=sum(done.by_member.values()), left=done.left)
            )
    except Problem as problem:
        form.take(problem)
    return not form.errors


def _where(form: Form) -> dict[str, Any] | None:
    """The chosen city and tag as a condition tree."""
    city, tag = form.choice("city", _("城市"), _cities(), optional=True), str(form.values.get("tag", ""))
    wanted: list[dict[str, Any]] = [{"field": "city", "is": city}] if city else []
    wanted += [{"tag": tag}] if tag.isdigit() else []
    return {"all": wanted} if wanted else None


def _cities() -> list[str]:
    found = select(Customer.city).join(Lead, Lead.customer_id == Customer.id).where(Customer.city != "")
    return list(session().scalars(found.distinct().order_by(Customer.city).limit(MOST_CHOICES)))


def _tags() -> list[tuple[str, str]]:
    found = select(Tag.id, Tag.name).where(Tag.deleted_at.is_(None)).order_by(Tag.id).limit(MOST_CHOICES)
    return [(str(tag_id), name) for tag_id, name in session().execute(found)]
