"""Points of merged customers: both accounts stay as they are and get one owner (C2).

Orders stay in the month account they were posted to; balances, lots and debts are the owner's over all her accounts.
Taking a merge apart gives the accounts back and moves what one side has spent of the other's since. Why so, and not by
moving points: docs/decisions/0005-points-after-a-merge.md.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, cast, func, select, update
from sqlalchemy.orm import Session

from handlers.points import due, preferences
from handlers.points.ledger import KINDS, Books
from handlers.points.models import Account, Entry, Hold, HoldLot, LotRow, Transaction
from tags.people import service as people


def join(session: Session, from_id: int, into_id: int) -> None:
    """Let `into_id` own the accounts of `from_id`, and pay the debts of one from the points of the other.

    Locks the accounts of both; again changes nothing.
    """
    hers = session.scalars(select(Account.customer_id).where(Account.owner_id == from_id)).all()
    if not hers:
        return
    with due.opened(session, [*hers, into_id]):
        session.execute(update(Account).where(Account.owner_id == from_id).values(owner_id=into_id))
    with due.opened(session, [into_id]) as books:
        books.settle(into_id)


def part(session: Session, from_id: int, holder_id: int, cause: str) -> None:
    """Give `from_id` back her accounts with what was booked before the merge; what was booked since stays.

    What the holder's bookings took from her lots since goes back into them: from the holder's free points, then, as far
    as refunds and old debts had taken it, as the holder's debt. Debts of hers that the holder paid are hers again.
    Lots that have ended meanwhile stay ended. Locks the accounts of both; again changes nothing.
    """
    members = people.family(session, from_id)
    parting = Account.customer_id.in_(members), Account.owner_id != from_id
    hers = session.scalars(select(Account.customer_id).where(*parting)).all()
    if not hers:
        return
    with due.opened(session, hers) as books:
        _free_holds(books, hers)
    session.execute(update(Account).where(*parting).values(owner_id=from_id))
    with due.opened(session, [from_id, holder_id]) as books:
        _debts_back(books, hers, holder_id, cause)
        _points_back(books, hers, holder_id, cause)
        books.settle(from_id)
        books.settle(holder_id)


def _free_holds(books: Books, hers: Sequence[int]) -> None:
    """Let go of holds that keep points of both sides."""
    others = [customer_id for customer_id in books.accounts if customer_id not in hers]
    for holders, owners in ((hers, others), (others, hers)):
        across = select(HoldLot.hold_id).join(LotRow, LotRow.id == HoldLot.lot_id).where(LotRow.customer_id.in_(owners))
        open_holds = select(Hold).where(Hold.state == "held", Hold.customer_id.in_(holders), Hold.id.in_(across))
        for hold in books.session.scalars(open_holds.order_by(Hold.id).execution_options(populate_existing=True)):
            due.let_go(books, hold, "released")


def _debts_back(books: Books, hers: Sequence[int], holder_id: int, cause: str) -> None:
    """Give the holder back what her bookings paid of the others' debts, which are theirs again."""
    for debtor, paid in _by_others(books, hers, "debt", Entry.customer_id):
        if paid > 0:
            line = books.line(holder_id, "part", cause=cause)
            books.grant(line, paid, preferences.lot_end(books.session, books.now))
            books.accounts[debtor].debt += paid
            line.move("debt", debtor, -paid)


def _points_back(books: Books, hers: Sequence[int], holder_id: int, cause: str) -> None:
    taken = {lot_id: -points for lot_id, points in _by_others(books, hers, "lot", Entry.lot_id) if points < 0}
    open_lots = select(LotRow.id).where(LotRow.id.in_(taken), LotRow.expires_at > books.now)
    lots = {lot: taken[lot.id or 0] for lot in books.know(due.read_lots(books.session, open_lots))}
    if not lots:
        return
    line = books.line(holder_id, "part", cause=cause)
    whole = sum(lots.values())
    books.load_lots({holder_id: whole})
    found = books.take(line, min(whole, books.spendable(holder_id)), owner_id=holder_id)
    owed = -sum(points for _, points in _by_others(books, hers, "lot", Entry.account, ("settle", "claw_back")))
    owing = min(whole - found, owed)
    books.owe(line, owing)
    left = found + owing
    for lot, part in reversed(lots.items()):  # those that last longest first: as if the holder had taken less
        back = min(left, part)
        left -= back
        books.put(line, lot, back)


def _by_others(
    books: Books, hers: Sequence[int], account: str, by: Any, kinds: Sequence[str] = KINDS
) -> list[tuple[Any, int]]:
    """What bookings for others changed in these customers' accounts of one kind, summed by a column of entries."""
    query = (
        select(by, cast(func.sum(Entry.points), BigInteger))
        .join(Transaction, Transaction.id == Entry.transaction_id)
        .where(Entry.customer_id.in_(hers), Entry.account == account)
        .where(Transaction.customer_id.not_in(hers), Transaction.kind.in_(kinds))
    )
    return [(key, points) for key, points in books.session.execute(query.group_by(by).order_by(by))]
