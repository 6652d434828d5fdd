"""`/r/<code>`: the page behind an invitation's card. It shows a code to scan and nothing about anybody (T7)."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy.orm import Session

from bot.core.errors import NotFound
from bot.core.i18n import say
from bot.web import pictures
from bot.web.edge import act_as, session
from bot.web.guard import PUBLIC, needs
from bot.web.pages import blueprints
from handlers.invites import service
from handlers.invites.models import Invitation
from tags.groups import joinways
from tags.groups.models import Route
from tags.people import service as people

LANGUAGES = {"zh-CN": "zh_CN", "zh-TW": "zh_TW", "en": "en"}

links = Blueprint("links", __name__, template_folder="templates")
blueprints.mark(links, links, __name__)


@dataclass(frozen=True)
class Shown:
    """What the page says. picture: of the join code, empty where there is none to scan."""

    title: str
    words: str
    picture: str = ""


@links.get("/r/<code>")
@needs(PUBLIC)
def invitation(code: str) -> Response:
    """The join code of her route; 404 for a code that is nobody's, 410 where no route is hers any more."""
    try:
        found, route = service.opened(session(), code)
    except NotFound:
        return _page(request.accept_languages.best_match(LANGUAGES) or "zh-CN", _unknown, 404)
    act_as(f"customer:{found.customer_id}")
    language = _language(session(), found)
    if route is None:
        return _page(language, _over, 410)
    return _page(language, lambda locale: _code(session(), route, locale))


def _page(language: str, shown: Callable[[str], Shown], status: int = 200) -> Response:
    page = shown(LANGUAGES[language])
    return make_response(render_template("invites/invitation.html", shown=page, language=language), status)


def _language(session: Session, found: Invitation) -> str:
    hers = people.customer(session, found.customer_id).language
    return hers or request.accept_languages.best_match(LANGUAGES) or "zh-CN"


def _code(session: Session, route: Route, locale: str) -> Shown:
    title = say(locale, "欢迎加入群聊")
    if not route.qr_code:
        return Shown(title, say(locale, "二维码正在准备，请过一会儿再打开。"))
    if not joinways.takes_in(session, route):
        return Shown(title, say(locale, "群暂时满了，新的群马上就好，请过一会儿再打开。"))
    return Shown(title, say(locale, "长按识别二维码，加入群聊"), pictures.address(session, route.qr_code))


def _over(locale: str) -> Shown:
    return Shown(say(locale, "邀请已经失效"), say(locale, "需要的话，请联系邀请您的人。"))


def _unknown(locale: str) -> Shown:
    return Shown(say(locale, "没有这个链接"), say(locale, "地址可能不完整，请从原来的消息里再打开一次。"))
