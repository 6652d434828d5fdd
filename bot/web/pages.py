"""What every page function uses: its blueprint, page or fragment, toasts, redirects, links that keep the filters.

A page and its fragment are the same template part: `render("people/index.html", fragment="people/_list.html", …)`
gives the part alone when htmx asks for it, so a full load and a swap can't differ.
"""

import json
from dataclasses import asdict, dataclass
from typing import Any

from flask import (
    Blueprint,
    Flask,
    Response,
    flash,
    g,
    get_flashed_messages,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response as BaseResponse

from bot.core.feature import Register
from bot.web.forms import Form

blueprints: Register[Blueprint] = Register("pages")


def pages(name: str, home: str) -> Blueprint:
    """A feature's pages under `/console`, with its `templates/`; `home` is the module's `__name__`."""
    made = Blueprint(f"{name}_pages", home, template_folder="templates", url_prefix="/console")
    return blueprints.mark(made, made, home)


@dataclass(frozen=True)
class Toast:
    """A short answer at the bottom right. tone `good` goes after 5 s, `bad` stays until closed.

    undo: an address that takes a POST and puts things back.
    """

    text: str
    tone: str = "good"
    undo: str = ""


def install(app: Flask) -> None:
    """Make the helpers known to the templates of `app`, and send toasts with its answers."""
    app.jinja_env.globals.update(link=link, toasts=_shown)
    app.after_request(_send)


def is_fragment() -> bool:
    """Whether htmx asks for a part of the page only (not when it restores one from the history)."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def render(page: str, fragment: str | None = None, *, status: int = 200, **context: Any) -> Response:
    """The page, or its fragment where htmx asks for it."""
    return make_response(render_template(fragment if fragment and is_fragment() else page, **context), status)


def refused(page: str, fragment: str | None = None, **context: Any) -> Response:
    """The same page or fragment again with what is wrong beside the fields: a 422, which htmx is set to swap."""
    return render(page, fragment, status=422, **context)


def drawer(part: str, title: str, form: Form, **context: Any) -> Response:
    """A short edit: the fragment `part` for the drawer, or a page around it; 422 where the form has errors."""
    status = 422 if form.errors else 200
    return render("drawer.html", part, status=status, part=part, title=title, form=form, **context)


def toast(text: str, tone: str = "good", undo: str = "") -> None:
    """Tell the operator something with this answer, or after the redirect it is."""
    g.setdefault("toasts", []).append(Toast(text, tone, undo))


def go(url: str) -> BaseResponse:
    """Go to another page after a write, from a form as well as from htmx."""
    if "HX-Request" in request.headers:
        return Response(status=204, headers={"HX-Redirect": url})
    return redirect(url, 303)


def link(to: str | None = None, /, **changes: Any) -> str:
    """This page's address with some filters changed: None or "" takes one away, and the paging starts anew.

    to: another endpoint that goes by the same filters, such as the list as a file.
    """
    args: dict[str, Any] = {**request.args.to_dict(flat=False), **(request.view_args or {})}
    if not changes.get("cursor"):
        args.pop("cursor", None)
    args.update(changes)
    assert request.endpoint is not None
    kept = {
        key: value for key, value in args.items()
        if value not in (None, "") and not key.startswith("_") and key != "endpoint"  # which would steer url_for itself
    }  # fmt: skip
    return url_for(to or request.endpoint, **kept)


def _shown() -> list[Toast]:
    """The toasts a full page shows itself."""
    flashed = [Toast(**json.loads(str(kept))) for kept in get_flashed_messages(category_filter=["toast"])]
    return flashed + (g.pop("toasts", []) if not is_fragment() else [])


def _send(response: Response) -> Response:
    waiting = g.pop("toasts", [])
    if not waiting:
        return response
    if response.status_code in (301, 302, 303) or "HX-Redirect" in response.headers:
        for each in waiting:
            flash(json.dumps(asdict(each)), "toast")
    else:
        response.headers["HX-Trigger"] = json.dumps({"toast": [asdict(each) for each in waiting]})
    return response
