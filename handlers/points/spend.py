"""Spending points first-expiring-first, and giving them back to the lots they came from (P1)."""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.core import clock
from handlers.points import due, hold, preferences, rules, store
from handlers.points.errors import SpentOtherwise, TooFewPoints
from handlers.points.events import PointsReturned, PointsSpent
from handlers.points.models import Entry, LotRow, Transaction
from handlers.points.planned import Lot

# what was spent for an order, null where it was not paid with points, and whether something is held for it
SETTLED = """
SELECT (
    SELECT sum(e.points)::bigint FROM points_transactions t
    JOIN points_entries e ON e.transaction_id = t.id AND e.customer_id = t.customer_id AND e.account = 'spent'
    WHERE t.order_id = %(order)s AND t.kind = 'spend'
), EXISTS (SELECT 1 FROM points_holds WHERE order_id = %(order)s AND state = 'held')
"""


def spend(
    session: Session, customer_id: int, points: int, *, order_id: str | None = None, cause: str = "",
    pointer: str = "/points", **facts: Any,
) -> None:  # fmt: skip
    """Spend `points` of hers; with `order_id` once for that order, from what is held for it where something is.

    Again with the same points changes nothing, which is judged before the balance (G5, P1). Locks her accounts.
    Raises TooFewPoints (422, naming `pointer`), SpentOtherwise (409) for another number of points.
    """
    asked = (SETTLED, {"order": order_id}), store.lots(clock.now(), {customer_id: points})
    with due.opened(session, [customer_id], *asked) as books:
        owner = books.owner_of(customer_id)
        [(spent, holding)], lots = books.told
        if spent is not None:
            if spent != points:
                raise SpentOtherwise(order_id or "", spent)
            return
        held = hold.open_hold(books, order_id, owner) if order_id is not None and holding else None
        if held is not None and held.points >= points:
            hold.commit_open(books, held, points, cause)
            return
        if points > books.spendable(owner):
            raise TooFewPoints(pointer, points, books.spendable(owner))
        books.know(Lot(*row) for row in lots)
        line = books.line(owner, "spend", order_id=order_id, cause=cause, **facts)
        books.take(line, points, owner_id=owner)
        books.facts.append(PointsSpent(customer_id=owner, order_id=order_id, points=points))


def give_back(
    session: Session, customer_id: int, order_id: str, *, refunded_fen: int, total_fen: int, cause: str
) -> None:
    """Give back the share of an order's points that its refunds so far call for, less what went back before.

    They return to their own lots with their own ends; where one has ended, or is no longer hers, a lot of her own takes
    them, for `points_grace_days` at least (P1). Pays debts first where there are any. Locks her accounts.
    """
    with due.opened(session, [customer_id]) as books:
        taken = _taken(session, order_id)
        before = _given_back(session, order_id)
        points = rules.returned(sum(part for _, part in taken), refunded_fen, total_fen) - before
        if points <= 0:
            return
        owner = books.owner_of(customer_id)
        lots = {lot.id: lot for lot in due.read_lots(session, select(LotRow.id).where(LotRow.id.in_(dict(taken))))}
        hers = books.know(lot for lot in lots.values() if lot.customer_id in books.accounts)
        line = books.line(owner, "give_back", order_id=order_id, cause=cause)
        grace = books.now + timedelta(days=preferences.points_grace_days.of(session))
        for lot_id, part in rules.give_back(taken, before, points):
            lot = next((one for one in hers if one.id == lot_id and one.expires_at > books.now), None)
            if lot is None:
                ends_at = lots[lot_id].expires_at
                lot = books.fresh_lot(owner, lots[lot_id].order_id, ends_at if ends_at > books.now else grace)
            books.put(line, lot, part)
        books.settle(owner)
        books.facts.append(PointsReturned(customer_id=owner, order_id=order_id, points=points))


def _taken(session: Session, order_id: str) -> list[tuple[int, int]]:
    """The lots an order's points were taken from, in the order they were taken: (lot id, points)."""
    query = select(Entry.lot_id, -Entry.points).join(Transaction, Transaction.id == Entry.transaction_id)
    of_order = query.where(Transaction.kind == "spend", Transaction.order_id == order_id, Entry.account == "lot")
    return [(int(lot_id), int(points)) for lot_id, points in session.execute(of_order.order_by(Entry.line)) if lot_id]


def _given_back(session: Session, order_id: str) -> int:
    query = select(-func.sum(Entry.points)).join(Transaction, Transaction.id == Entry.transaction_id)
    back = query.where(Transaction.kind == "give_back", Transaction.order_id == order_id, Entry.account == "spent")
    return int(session.scalar(back) or 0)
