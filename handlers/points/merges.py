"""Points of merged customers: both accounts stay as they are and get one owner (C2).

Orders stay in the month account they were posted to; balances, lots and debts are the owner's over all her accounts.
Taking a merge apart gives the accounts back and moves what one side has spent of the other's since. Why so, and not by
moving points: docs/decisions/points-after-a-merge.md.
"""

from collections.abc import Sequence

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from handlers.points import due, preferences
from handlers.points.ledger import Books
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

    What the holder has spent of her lots since moves back to them from the holder's own free points, as far as these
    go and those last; debts of hers that the holder paid are hers again. Locks the accounts of both.
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
        _move_back(books, hers, holder_id, cause)
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


def _move_back(books: Books, hers: Sequence[int], holder_id: int, cause: str) -> None:
    query = select(Entry.account, Entry.customer_id, Entry.lot_id, func.sum(Entry.points)).join(
        Transaction, Transaction.id == Entry.transaction_id
    )
    by_others = query.where(
        Entry.customer_id.in_(hers), Entry.account.in_(("lot", "debt")), Transaction.customer_id.not_in(hers)
    )
    spent: dict[int | None, int] = {}
    for account, customer_id, lot_id, points in books.session.execute(by_others.group_by(*query.selected_columns[:3])):
        if account == "lot":
            spent[lot_id] = -int(points)
        elif points > 0:
            line = books.line(holder_id, "part", cause=cause)
            books.grant(line, int(points), preferences.lot_end(books.session, books.now))
            debtor = books.accounts[customer_id]
            debtor.debt += int(points)
            line.move("debt", customer_id, -int(points))
    open_lots = select(LotRow.id).where(LotRow.id.in_(spent), LotRow.expires_at > books.now)
    lots = due.read_lots(books.session, open_lots)
    wanted = {lot: part for lot in books.know(lots) if (part := spent[lot.id]) > 0}
    left = min(sum(wanted.values()), books.spendable(holder_id))
    if left <= 0:
        return
    books.load_lots({holder_id: left})
    line = books.line(holder_id, "part", cause=cause)
    books.take(line, left, owner_id=holder_id)
    for lot in reversed(wanted):  # those that last longest first: as if the holder had spent less
        back = min(left, wanted[lot])
        left -= back
        books.put(line, lot, back)
