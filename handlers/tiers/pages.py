"""Her tier on her page: where she stands and what is missing for the next one (P3)."""

from flask import render_template
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.web.pages import pages
from handlers.tiers import service
from handlers.tiers.leaves import options
from tags.people.cards import CustomerAnswer
from tags.people.panels import Choice, offers, panel

console = pages("tiers", __name__)  # no page of its own; where its templates are found


@panel("right", place=20)
def tier(session: Session, customer: CustomerAnswer) -> str:
    return render_template("tiers/_panel.html", standing=service.tier(session, int(customer.id)))


@offers("tier", _l("等级"))
def choices(session: Session) -> list[Choice]:
    """What the list may be narrowed by."""
    return [(one.value, str(one.label), None) for one in options(session)]
