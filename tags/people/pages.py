"""客户列表 and 客户 360 (C3, C4): the list with its filters, one customer with what every feature shows of her."""

from collections.abc import Mapping, Sequence
from functools import partial

from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.operators import exports
from bot.web import pictures
from bot.web.edge import session
from bot.web.guard import allowed, needs
from bot.web.language import spoken
from bot.web.menu import Found, finder, listed
from bot.web.pages import go, pages, render, toast
from tags.people import bulk, exported, finding, merge, panels, service, staff
from tags.people.cards import CustomerAnswer, TouchAnswer, cards
from tags.people.models import Identity
from tags.people.phones import hidden

PER_PAGE = 50
ADD_WAYS = {
    1: _l("扫码"), 2: _l("搜索手机号"), 3: _l("名片"), 4: _l("群聊"), 5: _l("手机通讯录"), 6: _l("微信联系人"),
    7: _l("来自微信的添加"), 201: _l("内部成员共享"), 202: _l("管理员分配"), 16: _l("获客链接"),
}  # fmt: skip
CHANNELS = {
    "live_code": lazy_pgettext("source", "渠道活码"), "kf": _l("微信客服"), "group": _l("客户群"),
    "order": _l("商城订单"), "api": _l("接口"), "import": _l("导入"), "referral": _l("老带新"),
}  # fmt: skip

console = pages("people", __name__)


@console.get("/customers")
@listed("customers", _l("客户列表"), "users", "/console/customers", place=10)
@needs("customers:read")
def index() -> Response:
    words = request.args.get("q", "").strip()
    wanted = finding.wanted_of(request.args)
    found, following = finding.page(
        session(), q=words, wanted=wanted, limit=PER_PAGE, cursor=request.args.get("cursor")
    )
    shown = cards(session(), found)
    return render(
        "people/index.html", "people/_list.html", customers=shown, words=words, wanted=wanted, following=following,
        facets=[(one, one.choices(session())) for one in panels.offered], names=_members(shown),
        total=finding.count(session(), q=words, wanted=wanted), source=source_words,
        faces=pictures.paths(session(), [one.avatar for one in shown]),
        asked=finding.words_of(session(), wanted), actions=offered(), views=panels.shown_views(session(), wanted),
        filters={name: value for name, value in request.args.items() if value and name != "cursor"},
        remarks=[said for tell in panels.remarks if (said := tell(session()))],
    )  # fmt: skip


@console.get("/customers/export")
@needs("customers:read")
def export() -> BaseResponse:
    """The list with its filters, as a file."""
    words = request.args.get("q", "").strip()
    wanted = finding.wanted_of(request.args)
    total = finding.count(session(), q=words, wanted=wanted)
    rows = partial(exported.rows, words=words, wanted=wanted, whole=exports.plain_phones())
    return exports.answer("customer", _("客户列表"), exported.heads(), rows, total, {"q": hidden(words), **wanted})


@console.get("/customers/<int:customer_id>")
@needs("customers:read")
def show(customer_id: int) -> BaseResponse:
    survivor = service.survivor(session(), customer_id)
    if survivor != customer_id:
        return go(url_for(".show", customer_id=survivor))
    customer = service.customer(session(), customer_id)
    [her] = cards(session(), [customer])
    chosen = sorted(panels.tabs, key=lambda each: each.place)
    names = _members([her])
    now = next((one for one in chosen if one.name == request.args.get("tab")), chosen[0])
    joined = [(one, merge.because(one.why, spoken())) for one in merge.merges_of(session(), customer_id)]
    return render(
        "people/show.html", "people/_tabs.html", her=her, customer=customer, tabs=chosen, now=now,
        body=now.draw(session(), her), stats=panels.strip(session(), her),
        left=panels.drawn(session(), her, "left"), right=panels.drawn(session(), her, "right"), names=names,
        came=[source_words(touch, names) for touch in (her.source.first, her.source.last)],
        faces=pictures.paths(session(), [her.avatar]),
        identities=_identities(session(), customer_id), merges=joined,
        suggested=merge.suggested(session(), customer_id),
    )  # fmt: skip


@console.post("/customers/<int:customer_id>/merge/<int:other_id>")
@needs("customers:write")
def join(customer_id: int, other_id: int) -> BaseResponse:
    """Merge a suggested one into this customer."""
    made = merge.merge(session(), other_id, customer_id, why=_("控制台合并"))
    toast(_("已合并为一位客户"), undo=url_for(".undo_merge", merge_id=made.id))
    return go(url_for(".show", customer_id=customer_id))


@console.post("/merges/<int:merge_id>/undo")
@needs("customers:write")
def undo_merge(merge_id: int) -> BaseResponse:
    undone = merge.undo(session(), merge_id)
    toast(_("已拆开，两位客户各归各"))
    return go(url_for(".show", customer_id=undone.into_id))


@finder(_l("客户"), "customers:read")
def find_customers(session: Session, words: str) -> list[Found]:
    found, _following = finding.page(session, q=words, wanted={}, limit=5, cursor=None) if words else ([], None)
    return [Found(called(one.name, one.id), url_for("people_pages.show", customer_id=one.id), "user") for one in found]


def offered() -> list[tuple[str, str, str]]:
    """(address, label, icon) of the actions on many customers that the caller may take."""
    kinds = [kind for kind in bulk.actions if allowed(kind.permission)]
    return [(url_for("people_pages.new_bulk", name=kind.name), str(kind.label), kind.icon) for kind in kinds]


def called(name: str, customer_id: int | str) -> str:
    """Her name, or what stands for it."""
    return name or _("客户 %(id)s", id=customer_id)


def source_words(touch: TouchAnswer | None, names: Mapping[str, str]) -> str:
    """A way she came, in words: the channel, which one of it, and whom she added. names: of members, by userid."""
    if touch is None:
        return ""
    known = CHANNELS.get(touch.channel) or ADD_WAYS.get(touch.add_way or 0) or _l("未知来源")
    which = _("%(channel)s「%(name)s」", channel=known, name=touch.name) if touch.name else str(known)
    return " · ".join(filter(None, (which, names.get(touch.userid, touch.userid))))


def _members(shown: Sequence[CustomerAnswer]) -> dict[str, str]:
    """What the members are called who follow these customers, or brought them."""
    touches = (touch for one in shown for touch in (one.source.first, one.source.last) if touch)
    userids = {contact.userid for one in shown for contact in one.contacts} | {touch.userid for touch in touches}
    return staff.names(session(), userids)


def _identities(session: Session, customer_id: int) -> list[Identity]:
    rows = session.scalars(select(Identity).where(Identity.customer_id == customer_id).order_by(Identity.id))
    return list(rows)
