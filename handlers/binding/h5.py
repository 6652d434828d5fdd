"""`/h5/bind`: the page on which she ties her orders to herself. Forms only; it shows nothing of anybody's (C7)."""

import re
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.web import edge
from bot.web.address import caller_address
from bot.web.brand import brand_name
from bot.web.forms import Form
from bot.web.guard import PUBLIC, needs
from bot.web.pages import blueprints
from handlers.binding import service
from handlers.binding.errors import NoMatch, TooOften, WrongCode
from handlers.binding.service import Bound
from handlers.messaging import sms
from tags.people import service as people
from tags.people.errors import TwoPeople
from tags.people.phones import masked, normalised

LANGUAGES = {"zh-CN": "zh_CN", "zh-TW": "zh_TW", "en": "en"}
PAID = re.compile(r"[¥￥]?\s*(\d{1,8})(?:\.(\d{1,2}))?\s*元?")

h5 = Blueprint("bind", __name__, template_folder="templates")
blueprints.mark(h5, h5, __name__)


@dataclass
class Page:
    """Who looks at the page, and what it says. step: start, code or done; form: what she typed, with what is wrong."""

    customer_id: int
    locale: str
    token: str
    form: Form
    step: str = "start"
    facts: dict[str, Any] = field(default_factory=dict)

    def show(self, status: int = 200, **facts: Any) -> Response:
        """The page as it stands."""
        shown = {**_words(self.locale), **self.facts, **facts}
        html = render_template(
            "binding/bind.html", page=self, form=self.form, language=_tag(self.locale), brand=brand_name.of(_session()),
            sms=sms.configured(edge.installation()), shown=shown,
        )  # fmt: skip
        return make_response(html, status)

    def refuse(self, name: str, words: str) -> Response:
        """The same form again, with what is wrong beside the field."""
        self.form.refuse(name, words)
        return self.show(422)

    def done(self, bound: Bound) -> Response:
        """What became hers."""
        self.step = "done"
        lines = [
            say(self.locale, "%(orders)s 笔订单已经归到您名下。", orders=bound.orders) if bound.orders
            else say(self.locale, "已经绑定，以后的订单会自动归到您名下。"),
            say(self.locale, "送您 %(points)s 积分。", points=f"{bound.points:,}") if bound.points else "",
        ]  # fmt: skip
        return self.show(title=say(self.locale, "绑定好了"), lines=[one for one in lines if one])


@h5.get("/h5/bind")
@needs(PUBLIC)
def start() -> Response:
    """Both ways to bind; 410 for a link that is not ours any more."""
    page = _page(Form())
    return page.show() if page else _over()


@h5.post("/h5/bind/phone")
@needs(PUBLIC)
def phone() -> Response:
    """Send a code to a phone."""
    page = _page(Form.sent())
    if page is None:
        return _over()
    try:
        e164 = normalised(page.form.text("phone", say(page.locale, "手机号"), longest=32))
    except ValueError:
        return page.refuse("phone", say(page.locale, "请填一个手机号，例如 138 0013 8000"))
    try:
        row, text = service.begin(_session(), page.customer_id, e164, address=caller_address())
    except TooOften:
        return page.refuse("phone", say(page.locale, "发得太频繁了，请过一会儿再试"))
    code_id = row.id
    edge.commit()
    refusal = _send(e164, text)
    service.settle(_session(), code_id, *refusal)
    edge.commit()  # what became of it stands, whatever the page says
    if refusal[0] == "refused":
        return page.show(
            502, title=say(page.locale, "短信没有发出去"), lines=[say(page.locale, "请稍后再试，或者用订单号绑定。")]
        )
    page.step = "code"
    return page.show(code_id=code_id, phone=masked(e164))


@h5.post("/h5/bind/code")
@needs(PUBLIC)
def code() -> Response:
    """The code she got."""
    page = _page(Form.sent())
    if page is None:
        return _over()
    page.step = "code"
    number = str(page.form.values.get("code_id", ""))
    page.facts = {"code_id": number, "phone": str(page.form.values.get("shown", ""))[:20]}
    typed = page.form.text("code", say(page.locale, "验证码"), longest=12)
    if page.form.errors or not number.isdecimal():
        return page.refuse("code", say(page.locale, "请填短信里的 6 位数字"))
    try:
        bound = service.confirm(_session(), page.customer_id, int(number[:18]), typed, address=caller_address())
    except TooOften:
        return page.refuse("code", say(page.locale, "试得太多了，请重新要一个验证码"))
    except WrongCode:
        return page.refuse("code", say(page.locale, "验证码不对，或者已经过期"))
    except TwoPeople:
        page.step = "done"
        return page.show(
            title=say(page.locale, "这个号码需要客服确认"),
            lines=[say(page.locale, "它在另一个微信名下。请在聊天里回复「人工」，我们帮您看。")],
        )
    return page.done(bound)


@h5.post("/h5/bind/order")
@needs(PUBLIC)
def order() -> Response:
    """An order she names, and what she knows of it."""
    page = _page(Form.sent())
    if page is None:
        return _over()
    order_id = page.form.text("order_id", say(page.locale, "订单号"), longest=128)
    paid = PAID.fullmatch(str(page.form.values.get("paid", "")).strip().replace(",", ""))
    tail = page.form.text("tail", say(page.locale, "手机号后四位"), longest=4, optional=True)
    if not order_id:
        page.form.errors["order_id"] = say(page.locale, "请填订单号")
    if paid is None:
        page.form.errors["paid"] = say(page.locale, "请填实付金额，例如 268.00")
    if page.form.errors or paid is None:
        return page.show(422)
    fen = int(paid[1]) * 100 + int((paid[2] or "0").ljust(2, "0"))
    try:
        bound = service.by_order(_session(), page.customer_id, order_id, fen, tail, address=caller_address())
    except TooOften:
        return page.refuse("order_id", say(page.locale, "试得太多了，请明天再试，或者在聊天里回复「人工」"))
    except NoMatch:
        return page.refuse("order_id", say(page.locale, "没有对得上的订单，请核对订单号、金额和手机号"))
    return page.done(bound)


def _page(form: Form) -> Page | None:
    """The page of whom the link was made for; None where it is not ours, or over."""
    token = str(request.values.get("t", ""))[:300]
    try:
        hers = service.whose(_session(), token)
    except ValueError:
        return None
    edge.act_as(f"customer:{hers}")
    return Page(hers, LANGUAGES[_language(people.customer(_session(), hers).language)], token, form)


def _over() -> Response:
    page = Page(0, LANGUAGES[_language("")], "", Form(), "done")
    return page.show(
        410,
        title=say(page.locale, "这个链接过期了"),
        lines=[say(page.locale, "请在聊天里回复「绑定」，会给您一个新的。")],
    )


def _send(e164: str, text: str) -> tuple[str, str]:
    try:
        sms.send(edge.installation(), e164, text)
    except sms.SmsRefused as error:
        return "refused", str(error)
    except sms.SmsUnknown as error:
        return "unknown", str(error)
    return "sent", ""


def _language(hers: str) -> str:
    return hers or request.accept_languages.best_match(LANGUAGES) or "zh-CN"


def _tag(locale: str) -> str:
    return next(tag for tag, one in LANGUAGES.items() if one == locale)


def _session() -> Session:
    return edge.session()


def _words(locale: str) -> dict[str, str]:
    """What stands on the page, whatever was typed."""
    return {
        "title": say(locale, "绑定我的订单"),
        "about": say(locale, "绑定以后，您在商城下的订单和积分都会归到您名下。"),
        "by_phone": say(locale, "用手机号"), "phone_label": say(locale, "下单时填的手机号"),
        "send": say(locale, "发送验证码"), "sent": say(locale, "验证码发到了"), "code_label": say(locale, "6 位验证码"),
        "confirm": say(locale, "确认"), "again": say(locale, "换一个号码"), "by_order": say(locale, "用订单号"),
        "order_label": say(locale, "订单号"), "paid_label": say(locale, "实付金额（元）"),
        "tail_label": say(locale, "下单手机号后四位"), "tail_help": say(locale, "下单时没有填手机号的话，可以不填"),
        "bind": say(locale, "绑定这笔订单"),
    }  # fmt: skip
