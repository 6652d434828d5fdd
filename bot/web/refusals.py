"""Errors of pages: a page in plain words, a toast where htmx asked, the login where nobody is logged in.

Which areas are pages is said here; `bot.web.problems` catches what is raised and comes here for them.
"""

from urllib.parse import urlsplit

from flask import Response, g, make_response, render_template, request
from flask_babel import gettext as _
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, Unauthorized
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Problem
from bot.web.guard import caller
from bot.web.language import spoken
from bot.web.pages import go, is_fragment, toast

PAGES = ("/console",)
LOGIN = "/console/login"


def is_page() -> bool:
    """Whether this request is for a page."""
    return request.path.startswith(PAGES)


def answer(error: HTTPException | Problem) -> BaseResponse:
    """The answer to a refused or failed request for a page."""
    if isinstance(error, Unauthorized):
        return go(f"{LOGIN}?next={_back()}" if _back() else LOGIN)
    if isinstance(error, HTTPException) and error.code is not None and error.code < 400:
        return error.get_response()
    status = error.status if isinstance(error, Problem) else error.code or 500
    inside = status < 500 and caller() is not None  # asked first: the words are in her language
    title, words = _words(error, status)
    if is_fragment():
        words = error.said if isinstance(error, Problem) and error.said != error.detail else words
        toast(
            f"{title}{_('：')}{words} {g.request_id}"
            if status >= 500 and "request_id" in g
            else f"{title}{_('：')}{words}",
            "bad",
        )
        response: Response = make_response("", status)
    else:
        detail = error.said if isinstance(error, Problem) and (spoken() == "en" or error.said != error.detail) else ""
        response = make_response(
            render_template("error.html", status=status, title=title, words=words, detail=detail, inside=inside), status
        )
    for name in ("Allow", "Retry-After"):
        if isinstance(error, HTTPException) and name in (given := dict(error.get_headers())):
            response.headers[name] = given[name]
    return response


def _words(error: HTTPException | Problem, status: int) -> tuple[str, str]:
    if isinstance(error, CSRFError):
        return _("页面放得太久了"), _("为了安全，请刷新页面再提交一次。刚才的操作没有执行。")
    known = {
        403: (_("您没有这个权限"), _("需要的话，请负责人在「设置 › 操作员」里给您加上。")),
        404: (_("没有这个页面"), _("它可能已被删除，或者地址有误。")),
        405: (_("不能这样操作"), _("请从页面上的按钮操作。")),
        409: (_("现在不能这样做"), _("别人可能刚刚改过。请刷新页面看看最新的情况。")),
        413: (_("文件太大"), _("请换一个小一些的文件。")),
        422: (_("提交的内容不对"), _("请检查填写的内容再试一次。")),
        429: (_("操作太频繁"), _("请稍等一会儿再试。")),
        503: (_("暂时忙不过来"), _("请过几秒再试，数据都在。")),
    }
    return known.get(status, (_("出错了"), _("已经记录下来。请再试一次；如果还不行，把下面的编号告诉管理员。")))


def _back() -> str:
    """The page to come back to after the login: this one, or the one whose fragment was asked for."""
    if not is_fragment():
        return request.full_path.rstrip("?") if request.method == "GET" else ""
    return urlsplit(request.headers.get("HX-Current-URL", "")).path
