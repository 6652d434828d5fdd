"""Bulk actions on the list: the drawer that asks what to do, and how far a run is."""

from datetime import timedelta

from flask import Response, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from bot.core import clock
from bot.core.errors import Forbidden, Unacceptable
from bot.core.jobs import Progress
from bot.operators import called
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import allowed, needs
from bot.web.language import spoken
from bot.web.pages import drawer, go, render, toast
from tags.people import bulk, finding, jobs
from tags.people.bulk import Bulk, Whom
from tags.people.pages import console

MOST_IDS = 200
OFTEN, SELDOM = 2, 10  # seconds between two looks; the second after two minutes


@console.route("/customers/bulk/<name>/new", methods=["GET", "POST"])
@needs("customers:read")
def new_bulk(name: str) -> BaseResponse:
    """What to do to those who are chosen; the action's own permission is asked for."""
    kind = _kind(name)
    form = Form.sent() if request.method == "POST" else Form()
    whom = _whom()
    if request.method == "POST":
        values = kind.read(session(), form)
        if not form.errors:
            if not form.first():
                return go(url_for(".index"))
            run = bulk.begin(session(), name, whom, values, jobs.go_through)
            return go(url_for(".bulk_run", run_id=run.id))
    return drawer(
        "people/_bulk.html", str(kind.label), form, kind=kind, count=whom.count(session()), undo_days=bulk.UNDO_DAYS,
        **kind.context(session()),
    )  # fmt: skip


@console.get("/customers/bulk/<int:run_id>")
@needs("customers:read")
def bulk_run(run_id: int) -> Response:
    run = bulk.get(session(), run_id)
    shown = session().get_one(Progress, run.undo_job_id or run.job_id)
    kind = bulk.action(run.action)
    long_ago = clock.now() - shown.started_at > timedelta(minutes=2)
    whom = Whom.of(run.whom)
    return render(
        "people/bulk.html", "people/_bulk_run.html", run=run, shown=shown, kind=kind,
        words=kind.words(session(), run.form_values, spoken()), may_undo=_may(kind) and bulk.can_undo(session(), run),
        by=called.names(session(), {run.begun_by}, spoken()).get(run.begun_by, run.begun_by), whom=whom,
        asked=finding.words_of(session(), dict(whom.wanted)), every=SELDOM if long_ago else OFTEN,
    )  # fmt: skip


@console.post("/customers/bulk/<int:run_id>/undo")
@needs("customers:read")
def undo_bulk(run_id: int) -> BaseResponse:
    """Take a run back; the action's own permission is asked for."""
    run = bulk.get(session(), run_id)
    _kind(run.action)
    bulk.begin_undo(session(), run_id, jobs.go_back)
    toast(_("正在撤销"))
    return go(url_for(".bulk_run", run_id=run.id))


def _kind(name: str) -> Bulk:
    kind = bulk.action(name)
    if not _may(kind):
        raise Forbidden(f"{kind.permission} is needed for this")
    return kind


def _may(kind: Bulk) -> bool:
    return allowed(kind.permission)


def _whom() -> Whom:
    """Whom the list's form means: its filters, or the rows that are ticked."""
    ids = tuple(sorted({int(one) for one in request.args.getlist("id") if one.isdigit()}))[:MOST_IDS]
    if not request.args.get("whole_filter") and not ids:
        raise Unacceptable.at("/id", "expected at least one customer")
    if not request.args.get("whole_filter"):
        return Whom(ids=ids)
    return Whom(request.args.get("q", "").strip(), tuple(finding.wanted_of(request.args).items()))
