"""Giving and taking points by hand or by API, with a reason that is kept (G4)."""

from sqlalchemy.orm import Session

from bot.operators.audit import record_audit
from handlers.points import due, preferences
from handlers.points.errors import TooFewPoints
from handlers.points.events import PointsAdjusted


def adjust(session: Session, customer_id: int, points: int, reason: str) -> int:
    """Give `points` to her, or take them where negative, first-expiring-first; returns the transaction's id.

    Points given pay her debts first and last as if earned now. Locks her accounts.
    Raises NotFound, TooFewPoints (422) for what would go below zero, ValueError for 0.
    """
    if points == 0:
        raise ValueError("points is 0, expected a positive or a negative number")
    with due.opened(session, [customer_id]) as books:
        owner = books.owner_of(customer_id)
        line = books.line(owner, "adjust", reason=reason)
        line.numbered = True
        if points > 0:
            books.grant(line, points, preferences.lot_end(session, books.now))
        elif -points > books.spendable(owner):
            raise TooFewPoints("/points", points, books.spendable(owner))
        else:
            books.load_lots({owner: -points})
            books.take(line, -points, owner_id=owner)
        books.facts.append(PointsAdjusted(customer_id=owner, points=points, reason=reason))
    record_audit(session, "points.adjusted", f"customer:{owner}", None, {"points": points, "reason": reason})
    assert line.id is not None
    return line.id
