"""Giving and taking points by hand, by API or from a file, with a reason that is kept (G4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

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


@dataclass(frozen=True)
class Gift:
    """Points for a customer, given once for `cause`. ends_at: aware; None: as if earned now."""

    customer_id: int
    points: int
    reason: str
    ends_at: datetime | None
    cause: str


GIVEN = "SELECT cause FROM points_transactions WHERE cause = ANY(%(causes)s) AND cause <> ''"


def give_all(session: Session, gifts: Sequence[Gift]) -> int:
    """Give many, those that were given before not again (G5); how many were given now. Locks the accounts."""
    asked = (GIVEN, {"causes": [gift.cause for gift in gifts]})
    with due.opened(session, {gift.customer_id for gift in gifts}, asked) as books:
        before = {cause for (cause,) in books.told[0]}
        fresh = {gift.cause: gift for gift in gifts if gift.cause not in before}
        for gift in fresh.values():
            owner = books.owner_of(gift.customer_id)
            line = books.line(owner, "adjust", cause=gift.cause, reason=gift.reason)
            books.grant(line, gift.points, gift.ends_at or preferences.lot_end(session, books.now))
            books.facts.append(PointsAdjusted(customer_id=owner, points=gift.points, reason=gift.reason))
    return len(fresh)
