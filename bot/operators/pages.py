"""Login by password or one-time link, logout, and the language of an account."""

from urllib.parse import urlsplit

from flask import Response, abort, redirect, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from bot.operators.accounts import check_password, use_login
from bot.operators.audit import record_audit
from bot.operators.entering import after_login, safe, secure, throttle
from bot.operators.models import Operator
from bot.operators.sessions import COOKIE, close_session
from bot.operators.throttle import WINDOW_SECONDS
from bot.operators.twostep_pages import half_way
from bot.web import edge, language
from bot.web.address import caller_address
from bot.web.forms import Form
from bot.web.guard import PUBLIC, caller, needs, principal
from bot.web.pages import pages, refused, render

console = pages("operators", __name__)


@console.get("/login")
@needs(PUBLIC)
def login() -> BaseResponse:
    if caller() is not None:
        return redirect(after_login())
    return render("operators/login.html", form=Form())


@console.post("/login")
@needs(PUBLIC)
def log_in() -> BaseResponse:
    form = Form.sent()
    name = form.text("name", _("账号"), longest=40)
    password = request.form.get("password", "")
    if not password:
        form.refuse("password", _("请填写%(label)s", label=_("密码")))
    if form.errors:
        return refused("operators/login.html", form=form)
    tries = throttle()
    address = caller_address()
    if not tries.admit(name, address):
        form.refuse("", _("试得太多了。请过 %(minutes)s 分钟再来，或让管理员给您一个一次性登录链接。",
                          minutes=WINDOW_SECONDS // 60))  # fmt: skip
        response = render("operators/login.html", status=429, form=form)
        response.headers["Retry-After"] = str(WINDOW_SECONDS)
        return response
    operator = check_password(edge.session(), name, password)
    if operator is None:
        form.refuse("", _("账号或密码不对"))
        edge.after_rollback(lambda fresh: record_audit(fresh, "operator.login_refused", name, None, {"from": address}))
        return refused("operators/login.html", form=form)
    tries.forget(name, address)
    return half_way(operator, "password")


@console.get("/login/<token>")
@needs(PUBLIC)
def log_in_once(token: str) -> BaseResponse:
    """Log in by a one-time link. A HEAD (a preview of the link) does not use it up."""
    if request.method == "HEAD":
        return Response(status=204)
    operator = use_login(edge.session(), token)
    if operator is None:
        form = Form()
        form.refuse("", _("这个登录链接已经用过或过期了。"))
        return render("operators/login.html", status=410, form=form)
    return half_way(operator, "link")


@console.post("/logout")
@needs("console:read")
def log_out() -> BaseResponse:
    record_audit(edge.session(), "operator.logged_out", principal().actor)
    close_session(edge.session(), request.cookies[COOKIE])
    session.clear()
    response = redirect(url_for(".login"), 303)
    response.delete_cookie(COOKIE, path="/console", httponly=True, samesite="Lax", secure=secure())
    response.headers["Clear-Site-Data"] = '"cache", "storage"'
    return response


@console.post("/language")
@needs(PUBLIC)
def choose_language() -> BaseResponse:
    """Keep a language on the account, or in the browser where nobody is logged in."""
    chosen = request.form.get("language", "")
    if chosen not in language.LANGUAGES:
        abort(422)
    language.choose(chosen)
    who = caller()
    if who is not None:
        operator = edge.session().get_one(Operator, int(who.actor.partition(":")[2]))
        operator.language = chosen
    return redirect(safe(urlsplit(request.referrer or "").path), 303)
