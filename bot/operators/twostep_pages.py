"""Two-step login on pages: setting it up, the second step of a login, switching it off."""

import segno
from flask import abort, current_app, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from bot.operators import totp, twostep
from bot.operators.audit import record_audit
from bot.operators.entering import after_login, enter, throttle
from bot.operators.models import Operator
from bot.operators.throttle import WINDOW_SECONDS
from bot.web import edge
from bot.web.address import caller_address
from bot.web.forms import Form
from bot.web.guard import PUBLIC, caller, needs, permission_of, principal
from bot.web.pages import go, pages, refused, render, toast

console = pages("two_step", __name__)
HALF_OPEN = "second step"  # in the browser's cookie, which is signed
BEFORE_ALL = {"two_step_pages.two_step", "two_step_pages.switch_on", "operators_pages.log_out"}


@console.before_app_request
def set_up_first() -> BaseResponse | None:
    """Where two-step login is required, who has none sees nothing but its page."""
    if request.endpoint is None or request.endpoint in BEFORE_ALL or not request.path.startswith("/console"):
        return None
    view = current_app.view_functions[request.endpoint]
    who = caller() if permission_of(view) != PUBLIC else None
    if who is None or who.facts["two_step"] or not twostep.totp_required.of(edge.session()):
        return None
    return go(url_for("two_step_pages.two_step"))


@console.get("/login/second")
@needs(PUBLIC)
def second_step() -> BaseResponse:
    if twostep.half_opened(edge.session(), session.get(HALF_OPEN, "")) is None:
        return redirect(url_for("operators_pages.login"), 303)
    return render("operators/second.html", form=Form())


@console.post("/login/second")
@needs(PUBLIC)
def pass_second_step() -> BaseResponse:
    form, address = Form.sent(), caller_address()
    half = twostep.half_opened(edge.session(), session.get(HALF_OPEN, ""))
    if half is None:
        return redirect(url_for("operators_pages.login"), 303)
    operator, by = half
    account = f"second step of {operator.id}"
    if not throttle().admit(account, address):
        form.refuse("code", _("试得太多了。请过 %(minutes)s 分钟再来。", minutes=WINDOW_SECONDS // 60))
        response = render("operators/second.html", status=429, form=form)
        response.headers["Retry-After"] = str(WINDOW_SECONDS)
        return response
    passed = twostep.passes(edge.session(), operator, form.text("code", _("动态码"), longest=40))
    if passed is None:
        form.refuse("code", _("动态码不对，或者已经用过。请等下一个。"))
        name = operator.name
        edge.after_rollback(lambda fresh: record_audit(fresh, "operator.login_refused", name, None, {"from": address}))
        return refused("operators/second.html", form=form)
    throttle().forget(account, address)
    return enter(operator, f"{by}, {passed}")


@console.get("/two-step")
@needs("console:read")
def two_step() -> BaseResponse:
    return _page(Form())


@console.post("/two-step")
@needs("console:read")
def switch_on() -> BaseResponse:
    """Show her recovery codes once, in this answer."""
    operator, form = _me(lock=True), Form.sent()
    if operator.totp_seed is not None:
        return go(url_for(".two_step"))
    try:
        seed = twostep.offered(edge.session(), operator, str(form.values.get("offer", "")))
    except ValueError:
        form.refuse("code", _("这个二维码已经过期，请扫新的。"))
        return _page(form)
    codes = twostep.enrol(edge.session(), operator, seed, form.text("code", _("动态码"), longest=40))
    if codes is None:
        form.refuse("code", _("动态码不对。请看手机时间准不准，再试一次。"))
        return _page(form, seed)
    return render("operators/recovery.html", codes=codes)


@console.post("/two-step/off")
@needs("console:read")
def switch_off() -> BaseResponse:
    operator, form, address = _me(lock=True), Form.sent(), caller_address()
    if twostep.totp_required.of(edge.session()):
        abort(409)
    account = f"second step of {operator.id}"
    if not throttle().admit(account, address):
        abort(429)
    if twostep.passes(edge.session(), operator, form.text("code", _("动态码"), longest=40)) is None:
        form.refuse("code", _("动态码不对，或者已经用过。请等下一个。"))
        return _page(form)
    throttle().forget(account, address)
    twostep.switch_off(edge.session(), operator)
    toast(_("两步验证已关闭"))
    return go(url_for(".two_step"))


def half_way(operator: Operator, by: str) -> BaseResponse:
    """The answer to a right password or link: inside, or to the second step where she has one."""
    if operator.totp_seed is None:
        return enter(operator, by)
    session[HALF_OPEN] = twostep.half_open(edge.session(), operator, by)
    return redirect(url_for("two_step_pages.second_step", next=after_login()), 303)


def _me(*, lock: bool = False) -> Operator:
    return edge.session().get_one(Operator, int(principal().actor.partition(":")[2]), with_for_update=lock or None)


def _page(form: Form, seed: bytes | None = None) -> BaseResponse:
    operator, required = _me(), twostep.totp_required.of(edge.session())
    status = 422 if form.errors else 200
    if operator.totp_seed is not None:
        return render("operators/two_step.html", status=status, form=form, on=True, required=required)
    offer = form.values.get("offer")
    if seed is None:
        seed, offer = twostep.offer(edge.session(), operator)
    code = segno.make(totp.address(seed, operator.name), micro=False)
    return render(
        "operators/two_step.html", status=status, form=form, on=False, required=required, offer=offer,
        secret=totp.written(seed), picture=code.png_data_uri(scale=5, border=4),
    )  # fmt: skip
