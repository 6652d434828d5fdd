"""Points on her page: balance and what ends next, this month's rate, the ledger line by line (P1, P2)."""

from flask import render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.core.money import yuan
from bot.web.language import spoken
from bot.web.pages import link, pages
from handlers.points import statement
from handlers.points.telling import percent, reason
from tags.people.cards import CustomerAnswer
from tags.people.panels import Number, numbers, panel, tab

PER_PAGE = 30

console = pages("points", __name__)  # no page of its own; where its templates are found


@numbers(place=20)
def balance(session: Session, customer: CustomerAnswer) -> list[Number]:
    points = customer.points.balance
    return [(_("积分"), f"{points:,}", f"≈ {yuan(points)}")]


@panel("right", place=10)
def points(session: Session, customer: CustomerAnswer) -> str:
    found = statement.statement(session, int(customer.id))
    missing = next(
        (step for step in statement.steps(session, int(customer.id)) if step.from_fen > found.month.net_spend_fen), None
    )
    return render_template(
        "points/_panel.html", found=found, ending=found.endings[:3],
        rate=f"{found.month.rate * 100:f}".rstrip("0").rstrip(".") or "0", next=missing, percent=percent,
    )  # fmt: skip


@tab("points", _l("积分"), place=30)
def ledger(session: Session, customer: CustomerAnswer) -> str:
    lines, following = statement.ledger(session, int(customer.id), limit=PER_PAGE, cursor=request.args.get("cursor"))
    told = [(line, reason(line.kind, line.facts, spoken())) for line in lines]
    older = link(cursor=following) if following else None
    return render_template("points/_tab.html", her=customer, lines=told, following=older)
