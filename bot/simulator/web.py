"""What people's phones fetch from the simulator: QR pictures, uploaded files, WeChat's authorize page."""

import io
from urllib.parse import urlencode

import segno
from flask import Blueprint, Response, redirect, request
from werkzeug.wrappers import Response as Answered

from bot.core.errors import NotFound, Unacceptable
from bot.simulator.oauth import authorise
from bot.simulator.records import Media
from bot.simulator.world import World


def create(world: World) -> Blueprint:
    """The pages of one simulator."""
    pages = Blueprint("web", __name__)

    @pages.get("/qr/<code>.png")
    def qr(code: str) -> Response:
        """The QR picture of a contact way, join way or kf link; what it says is this very address."""
        picture = io.BytesIO()
        segno.make(f"{world.url}/qr/{code}.png", error="m").save(picture, kind="png", scale=6, border=2)
        return Response(picture.getvalue(), content_type="image/png")

    @pages.get("/pic/<picture_id>")
    def picture(picture_id: str) -> Response:
        return _file(world.state.pictures.get(picture_id))

    @pages.get("/sim/media/<media_id>")
    def media(media_id: str) -> Response:
        """A file as it was sent to somebody, however old."""
        return _file(world.state.media.get(media_id))

    @pages.get("/kf/<code>")
    def kf_link(code: str) -> Answered:
        """A 微信客服 link opens on her phone."""
        return redirect(f"/phone?{urlencode({'kf': request.url})}")

    @pages.get("/connect/oauth2/authorize")
    def authorize() -> Answered:
        """Send her back to `redirect_uri` with a code; ?external_userid=, ?userid= or such a cookie says who it is."""
        named = ("external_userid", "userid")
        source = request.args if any(name in request.args for name in named) else request.cookies
        who = {name: source.get(name) for name in named}
        if request.args.get("appid") != world.state.corp_id:
            raise Unacceptable.at("", f"appid is not {world.state.corp_id}")
        with world.lock:
            code = str(authorise(world, **who)["code"])
        target = request.args.get("redirect_uri", "")
        joint = "&" if "?" in target else "?"
        return redirect(f"{target}{joint}{urlencode({'code': code, 'state': request.args.get('state', '')})}")

    return pages


def _file(found: Media | None) -> Response:
    if found is None:
        raise NotFound("no such file")
    return Response(found.content, content_type=found.content_type)
