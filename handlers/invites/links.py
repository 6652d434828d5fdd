"""`/r/<code>`: the page behind an invitation's card. It says which group of which brand it is, shows the code
to scan, and nothing about anybody (T7)."""

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, make_response, render_template, request
from sqlalchemy.orm import Session

from bot.core.errors import NotFound
from bot.core.i18n import say
from bot.web import pictures
from bot.web.brand import brand_name
from bot.web.edge import act_as, session
from bot.web.guard import PUBLIC, needs
from bot.web.pages import blueprints
from handlers.invites import service
from handlers.invites.models import Invitation
from tags.groups import joinways, routes
from tags.groups.models import Route
from tags.people import service as people

LANGUAGES = {"zh-CN": "zh_CN", "zh-TW": "zh_TW", "en": "en"}

links = Blueprint("links", __name__, template_folder="templates")
blueprints.mark(links, links, __name__)


@dataclass(frozen=True)
class Shown:
    """What the page says. picture: path of the join code, empty where there is none to scan; then `otherwise` too."""

    title: str
    words: str
    picture: str = ""
    otherwise: str = ""


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
        return _page(language, lambda locale: _over(service.group_name(session(), found), locale), 410)
    seat = routes.seat_in(session(), found.customer_id, route.id)
    if seat is not None:
        return _page(language, lambda locale: _joined(seat or service.group_name(session(), found), locale))
    return _page(language, lambda locale: _code(session(), route, locale))


def _page(language: str, shown: Callable[[str], Shown], status: int = 200) -> Response:
    page, brand = shown(LANGUAGES[language]), brand_name.of(session())
    html = render_template("invites/invitation.html", shown=page, language=language, brand=brand)
    return make_response(html, status)


def _language(session: Session, found: Invitation) -> str:
    hers = people.customer(session, found.customer_id).language
    return hers or request.accept_languages.best_match(LANGUAGES) or "zh-CN"


def _code(session: Session, route: Route, locale: str) -> Shown:
    group = joinways.leads_to(session, route)
    title = say(locale, "邀请您加入群聊「%(group)s」", group=group)
    if not route.qr_code:
        return Shown(title, say(locale, "二维码正在准备，请过一会儿再打开这个页面。"))
    if route.full_at is not None:
        full = say(locale, "群聊「%(group)s」暂时满了", group=group)
        return Shown(full, say(locale, "新的群马上就好，请过一会儿再打开这个页面。"))
    picture = pictures.paths(session, [route.qr_code])[route.qr_code]
    words = say(locale, "长按二维码，选择「识别图中的二维码」进群")
    return Shown(title, words, picture, say(locale, "在电脑上打开的话，请用微信扫一扫。"))


def _joined(group: str, locale: str) -> Shown:
    title = say(locale, "您已经在群聊「%(group)s」里了", group=group)
    return Shown(title, say(locale, "在微信的聊天列表里搜群名就能找到它。"))


def _over(group: str, locale: str) -> Shown:
    title = say(locale, "「%(group)s」的邀请已经失效", group=group)
    return Shown(title, say(locale, "还想进群的话，在微信里回复一声，我们再邀请您。"))


def _unknown(locale: str) -> Shown:
    return Shown(say(locale, "没有这个链接"), say(locale, "地址可能不完整，请从原来的消息里再打开一次。"))
