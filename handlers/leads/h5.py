"""`/h5/lead`: a member's page for one turn: the number to look for, the words, and what came of it (C8).

Whoever has the link sees the number, so it ends with the turn, and goes to the member alone through the app.
"""

from contextlib import suppress

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Conflict
from bot.core.installation import installation_of
from bot.web import edge
from bot.web.forms import Form
from bot.web.guard import PUBLIC, needs
from bot.web.pages import blueprints
from handlers.leads import links, service
from handlers.leads.models import HandOut, Lead
from handlers.leads.preferences import lead_words
from handlers.messaging import placeholders
from tags.people import service as people

RESULTS = ("no_answer", "refused", "returned")

h5 = Blueprint("lead", __name__, template_folder="templates")
blueprints.mark(h5, h5, __name__)


@h5.get("/h5/lead")
@needs(PUBLIC)
def show() -> Response:
    """The turn, or that it is over (410)."""
    token = request.args.get("t", "")[:300]
    try:
        lead, turn = links.of_token(edge.session(), token)
    except ValueError:
        return _page(410)
    edge.act_as(f"member:{turn.userid}")
    return _turn(200, lead, turn, token, Form())


@h5.post("/h5/lead")
@needs(PUBLIC)
def report() -> BaseResponse:
    """What came of it."""
    form, token = Form.sent(), request.form.get("t", "")[:300]
    try:
        lead, turn = links.of_token(edge.session(), token)
    except ValueError:
        return _page(410)
    edge.act_as(f"member:{turn.userid}")
    result = form.choice("result", _("结果"), RESULTS)
    note = form.text("note", _("备注"), longest=200, optional=True)
    if form.errors:
        return _turn(422, lead, turn, token, form)
    with suppress(Conflict):  # it was reported before, or is somebody else's by now, which the page says
        service.report(edge.session(), lead.id, result, note, hand_out_id=turn.id)  # type: ignore[arg-type]
    return redirect(url_for(".show", t=token), 303)


def _turn(status: int, lead: Lead, turn: HandOut, token: str, form: Form) -> Response:
    """A turn under way, with its form, or what came of one that is over."""
    if turn.ended_at is not None:
        return _page(200, turn)
    her = people.customer(edge.session(), lead.customer_id)
    words = placeholders.fill(
        edge.session(), lead_words.of(edge.session()), placeholders.reader(edge.session(), her.id, turn.userid)
    )
    phone = installation_of(edge.session()).vault.decrypt(her.phone) if her.phone else ""
    return _page(status, turn, her=her, phone=phone, words=words, token=token, form=form)


def _page(status: int, turn: HandOut | None = None, **shown: object) -> Response:
    return make_response(render_template("leads/member.html", turn=turn, **shown), status)
