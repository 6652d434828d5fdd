"""成员与继承: members and how they fare, customers who wait for a successor, what became of those handed over (C5)."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Problem
from bot.operators import exports
from bot.web import cursors
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.language import spoken
from bot.web.menu import listed
from bot.web.pages import drawer, go, pages, render, toast
from bot.wecom import inbox
from bot.wecom.errcodes import EXPLAINED
from handlers.transfers import members, service
from handlers.transfers.models import Transfer
from tags.people import staff
from tags.people.models import Contact, Customer, Staff

PER_PAGE = 50
CHOICES = 200  # customers shown to be ticked one by one; more go together
MESSAGE = 200  # characters, WeCom's limit
STATES = {
    "asked": _l("等企业微信"), "waiting": _l("等 24 小时"), "done": _l("已转接"), "refused": _l("客户拒绝了"),
    "full": _l("接替成员的客户已满"), "failed": _l("没有转成"),
}  # fmt: skip
TONES = {"done": "good", "asked": "warn", "waiting": "info", "refused": "bad", "full": "bad", "failed": "bad"}
REASONS = {"twice": _l("90 天内已转接过 2 次"), "no_record": _l("企业微信没有这次转接的记录")}

console = pages("transfers", __name__)


@console.get("/staff")
@listed("customers", _l("成员与继承"), "id-card", "/console/staff", place=50)
@needs("staff:read")
def index() -> Response:
    view = request.args.get("view", "")
    if view in ("awaiting", "transfers"):
        return _awaiting() if view == "awaiting" else _transfers()
    order = [Staff.__table__.c.userid]
    rows, following = cursors.page(session(), select(Staff), order, PER_PAGE, request.args.get("cursor"))
    return render(
        "transfers/index.html", members=rows, following=following, counts=_counts(),
        fares=members.fares(session(), [row.userid for row in rows]),
    )  # fmt: skip


@console.get("/staff/export")
@needs("staff:read")
def export() -> BaseResponse:
    """The members and how they fare, as a file."""
    heads = [
        "userid", _("成员"), _("客户"), _("30 天新增"), _("30 天流失"), _("30 天迟到的欢迎语"), _("转出中"),
        _("转入中"), _("离职于"),
    ]  # fmt: skip
    return exports.listed("staff", _("成员"), heads, select(Staff), [Staff.__table__.c.userid], _cells, {})


def _cells(reading: Session, rows: Sequence[Staff]) -> Iterator[exports.Row]:
    fares = members.fares(reading, [row.userid for row in rows])
    for row in rows:
        his = fares[row.userid]
        yield [
            row.userid, row.name, his.active, his.added, his.lost, his.late, his.giving, his.taking, row.left_at,
        ]  # fmt: skip


@console.route("/staff/<userid>/hand-over", methods=["GET", "POST"])
@needs("transfers:write")
def hand_over(userid: str) -> BaseResponse:
    """The drawer in which a member's customers are given to another."""
    gives = staff.get(session(), userid)
    form = Form.sent() if request.method == "POST" else Form()
    if request.method == "POST" and _begun(form, gives):
        return go(url_for(".index", view="transfers"))
    count = session().scalar(select(func.count()).select_from(service.of_member(userid).subquery())) or 0
    shown = service.of_member(userid).limit(CHOICES if count <= CHOICES else 0)
    rows = session().execute(shown.join(Customer, Customer.id == Contact.customer_id).add_columns(Customer.name))
    others = [(one, name) for one, name, _letters in staff.choices(session()) if one != userid]
    return drawer(
        "transfers/_hand_over.html", _("把客户转给同事"), form, gives=gives, count=count, others=others,
        hers=[(contact.external_userid, name or contact.external_userid, contact.remark) for contact, name in rows],
        everybody=[("all", _("全部 %(count)s 位", count=f"{count:,}"), None), ("some", _("只转勾选的"), None)],
    )  # fmt: skip


@console.post("/staff/look")
@needs("transfers:write")
def look() -> BaseResponse:
    """Ask WeCom now who left and what became of transfers."""
    inbox.ask(session(), service.UnassignedAsked())
    service.ask(session())
    toast(_("正在问企业微信，几秒后刷新这一页"))
    return go(url_for(".index", view="awaiting"))


def _begun(form: Form, gives: Staff) -> bool:
    """Whether WeCom is being asked; else the form says why not."""
    takeover = form.choice("takeover", _("接替成员"), [one for one, _n, _l in staff.choices(session())])
    message = form.text("message", _("转接成功后对客户说"), longest=MESSAGE, optional=True)
    chosen = [str(one) for one in form.values.getlist("customers")]
    everybody = form.choice("who", _("客户"), ("all", "some")) == "all"
    if not everybody and not chosen:
        form.refuse("customers", _("勾选要转的客户"))
    if form.errors:
        return False
    if not form.first():
        return True
    try:
        started = service.start(session(), gives.userid, takeover, None if everybody else chosen, message)
    except Problem as problem:
        form.take(problem)
        return False
    toast(_("已向企业微信提交 %(count)s 位", count=started.asked))
    if started.twice:
        toast(_("%(count)s 位没有提交：90 天内已转接过 2 次", count=started.twice), "warn")
    return True


def _awaiting() -> Response:
    order = [Contact.__table__.c.id]
    rows, following = cursors.page(session(), service.awaiting(), order, PER_PAGE, request.args.get("cursor"))
    gone = session().scalars(select(Staff).where(Staff.left_at.is_not(None)).order_by(Staff.left_at.desc())).all()
    return render(
        "transfers/awaiting.html", rows=rows, following=following, counts=_counts(), gone=gone,
        fares=members.fares(session(), [one.userid for one in gone]),
    )  # fmt: skip


def _transfers() -> Response:
    state = request.args.get("state", "")
    wanted: Select[Any, Any] = select(Transfer, Customer).join(Customer, Customer.id == Transfer.customer_id)
    if state in STATES:
        wanted = wanted.where(Transfer.state == state)
    order = [Transfer.__table__.c.id]
    rows, following = cursors.page(session(), wanted, order, PER_PAGE, request.args.get("cursor"), desc=True)
    userids = {userid for one, _her in rows for userid in (one.handover, one.takeover)}
    return render(
        "transfers/transfers.html", "transfers/_transfers.html", rows=rows, following=following, counts=_counts(),
        state=state, states=STATES, tones=TONES, why=_why, names=staff.names(session(), userids),
        choices=[(name, words, None) for name, words in STATES.items()],
    )  # fmt: skip


def _why(reason: str) -> Any:
    """A reason in words; what WeCom answered by number is explained."""
    if reason.lstrip("-").isdecimal() and int(reason) in EXPLAINED:
        return EXPLAINED[int(reason)][spoken() == "en"]
    return "" if reason.startswith("customer_") else REASONS.get(reason, reason)


def _counts() -> tuple[int, int, int]:
    """Members, customers who wait for a successor, transfers under way."""
    waiting = select(func.count()).select_from(service.awaiting().with_only_columns(Contact.id).subquery())
    open_ones = select(func.count()).where(Transfer.settled_at.is_(None))
    counted = (select(func.count()).select_from(Staff), waiting, open_ones)
    every, awaiting, under_way = (session().scalar(one) or 0 for one in counted)
    return every, awaiting, under_way
