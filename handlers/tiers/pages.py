"""Her tier on her page: where she stands and what is missing for the next one (P3)."""

from flask import render_template
from sqlalchemy.orm import Session

from bot.web.pages import pages
from handlers.tiers import service
from tags.people.cards import CustomerAnswer
from tags.people.panels import panel

console = pages("tiers", __name__)  # no page of its own; where its templates are found


@panel("right", place=20)
def tier(session: Session, customer: CustomerAnswer) -> str:
    return render_template("tiers/_panel.html", standing=service.tier(session, int(customer.id)))
