"""Her way so far on her page: which stage she is in, since when, and what comes of silence (T6)."""

from collections.abc import Sequence
from datetime import datetime

from flask import render_template
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.web.pages import pages
from tags.lifecycle.leaves import STAGES
from tags.lifecycle.models import StageRow
from tags.people.cards import CustomerAnswer
from tags.people.panels import Choice, offers, panel

console = pages("lifecycle", __name__)  # no page of its own; where its templates are found

GROWING = ("stranger", "contact", "first_buyer", "repeat", "loyal")
LEAVING = ("at_risk", "lapsed", "won_back")
FOLLOWING = {"at_risk": _l("已流失"), "": _l("流失风险")}  # what silence makes of a stage


@panel("right", place=40)
def lifecycle(session: Session, customer: CustomerAnswer) -> str:
    row = session.get(StageRow, int(customer.id))
    stage = customer.lifecycle
    return render_template(
        "lifecycle/_panel.html", path=_path(stage), stage=stage, since=row.since if row and row.stage else None,
        due_at=_due(row), following=FOLLOWING.get(stage, FOLLOWING[""]),
    )  # fmt: skip


def _path(stage: str) -> Sequence[tuple[str, str]]:
    """(label, state) of the steps: passed, now or ahead. Who is leaving or came back stands on a step of her own."""
    labels = {one.value: one.label for one in STAGES}
    if stage in LEAVING:
        return [(labels[stage], "now")]
    at = GROWING.index(stage)
    return [(labels[one], "passed" if n < at else "now" if n == at else "ahead") for n, one in enumerate(GROWING) if n]


def _due(row: StageRow | None) -> datetime | None:
    return row.due_at if row is not None and row.stage else None


@offers("lifecycle", _l("生命周期"))
def choices(session: Session) -> list[Choice]:
    """What the list may be narrowed by."""
    return [(one.value, str(one.label), None) for one in STAGES]
