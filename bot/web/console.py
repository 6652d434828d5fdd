"""The console: everything a page of `/console` needs, put onto the application in one call.

`install(app, installation, identify)` adds static files, language, filters, form tokens, security headers, the guard,
the request's transaction, the shell's own routes and the pages the features registered. Errors are `bot.web.problems`'.
"""

from importlib.metadata import version
from typing import Any

from flask import Blueprint, Flask, Response, abort, redirect, request, url_for
from flask_wtf.csrf import CSRFProtect
from werkzeug.wrappers import Response as BaseResponse

from bot.core.crypto import derive
from bot.core.installation import Installation
from bot.web import edge, files, guard, headers, language, menu, pages, pictures, show
from bot.web.guard import PUBLIC, needs
from bot.web.menu import Entry, Sign, Words

THEMES = {"light": "not all", "dark": "all", "": "(prefers-color-scheme: dark)"}  # -> when the dark tokens apply
YEAR_SECONDS = 365 * 86_400
TOKENLESS = ("/api/", "/wecom/")  # bearer keys and WeCom's signatures; no cookie opens anything there

shell = Blueprint("shell", __name__, template_folder="templates")
csrf = CSRFProtect()


def install(app: Flask, installation: Installation, identify: guard.Identify) -> None:
    """Make `app` serve the console. identify: who is calling, read out of the request (see `bot.web.guard`)."""
    settings = installation.settings
    settings.require("secret_key")
    assert settings.secret_key is not None
    app.secret_key = derive(settings.secret_key.get_secret_value().encode(), "cookies")
    app.config.update(
        SESSION_COOKIE_NAME="fugou", SESSION_COOKIE_HTTPONLY=True, SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=headers.is_https(settings), WTF_CSRF_TIME_LIMIT=None, WTF_CSRF_CHECK_DEFAULT=False,
    )  # fmt: skip
    edge.install(app, installation)
    guard.install(app, identify)
    csrf.init_app(app)
    app.before_request(_check_token)
    language.install(app, settings)
    show.install(app)
    pages.install(app)
    headers.install(app, settings)
    app.jinja_env.globals.update(
        asset=files.asset, allowed=guard.allowed, shell=Shell, theme=_theme, page_language=language.page_language,
        languages=language.LANGUAGES,
    )  # fmt: skip
    app.register_blueprint(shell)
    app.register_blueprint(pictures.blueprint)
    for blueprint in pages.blueprints:
        app.register_blueprint(blueprint)


class Shell:
    """What the frame around a page shows: who is here, her menu, where she is in it, the signs at its foot."""

    def __init__(self) -> None:
        self.operator = guard.principal()
        self.menu = menu.menu()
        self.here: Entry | None = menu.here(self.menu)
        self.version = version("fugou")

    def group(self, name: str) -> list[Entry]:
        """The caller's entries of one group, such as the tabs of the settings."""
        return next((entries for group, _, entries in self.menu if group == name), [])

    @property
    def where(self) -> Words:
        """The words for the group of the page being shown."""
        return menu.GROUPS[self.here.group] if self.here else ""

    @property
    def signs(self) -> list[Sign]:
        return [tell(edge.session()) for tell in menu.signs]


@shell.get("/static/<path:name>")
@needs(PUBLIC)
def static(name: str) -> Response:
    return files.serve(name)


@shell.get("/")
@needs(PUBLIC)
def front() -> BaseResponse:
    """Who opens the bare address in a browser wants the console."""
    return redirect("/console/")


@shell.get("/console/")
@needs("console:read")
def home() -> BaseResponse:
    """The first page of the caller's menu."""
    mine = [entry for _, _, entries in menu.menu() for entry in entries]
    return redirect(mine[0].path) if mine else abort(404)


@shell.get("/console/settings")
@needs("console:read")
def settings_home() -> BaseResponse:
    """The first of the settings the caller may open."""
    mine = Shell().group("settings")
    return redirect(mine[0].path) if mine else abort(404)


@shell.get("/console/find")
@needs("console:read")
def find() -> Response:
    """The answers of the find box, as a fragment."""
    words = request.args.get("q", "").strip()
    return pages.render("_found.html", kinds=menu.find(edge.session(), words), words=words)


@shell.post("/console/theme")
@needs(PUBLIC)
def choose_theme() -> BaseResponse:
    """Keep the chosen theme in a cookie; "" follows the system. The page changes at once, without a load."""
    chosen = request.form.get("theme", "")
    if chosen not in THEMES:
        abort(422)
    if pages.is_fragment():
        response: BaseResponse = Response(status=204)
    else:
        response = redirect(request.referrer or url_for("shell.home"), 303)
    kept: dict[str, Any] = {"path": "/console", "httponly": True, "samesite": "Lax", "secure": _secure()}
    if chosen:
        response.set_cookie("theme", chosen, max_age=YEAR_SECONDS, **kept)
    else:
        response.delete_cookie("theme", **kept)
    return response


def _theme() -> tuple[str, str]:
    """The chosen theme ("" follows the system), and for which media the dark tokens apply."""
    chosen = request.cookies.get("theme", "")
    chosen = chosen if chosen in THEMES else ""
    return chosen, THEMES[chosen]


def _secure() -> bool:
    return headers.is_https(edge.installation().settings)


def _check_token() -> None:
    if not request.path.startswith(TOKENLESS):
        csrf.protect()
