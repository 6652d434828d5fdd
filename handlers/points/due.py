"""What time brings: holds time out, pending points become spendable, lots end; always before anything else is booked.

`opened` brings the accounts it locks up to now, so no booking and no statement ever meets an ended lot, whether the
sweep has been by or not; the sweep opens and closes whoever is due. The order is P1's: time-outs, pending, ends.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce_all
from handlers.points import store
from handlers.points.events import PointsExpired
from handlers.points.ledger import Books
from handlers.points.models import Account, Hold, HoldLot, LotRow, Posted
from handlers.points.planned import Lot


@contextmanager
def opened(session: Session, customer_ids: Collection[int]) -> Iterator[Books]:
    """The books of these customers and their families: locked, brought up to now, stored when the block ends.

    Raises NotFound for an id that is nobody's. What the block raises leaves nothing stored.
    """
    books = Books(session, store.lock(session, customer_ids))
    late = {one.owner_id for one in books.accounts.values() if one.due_at is not None and one.due_at <= books.now}
    if late:
        _catch_up(books, late)
        _store(books)
        store.recompute_due(session, sorted(late))
        books = Books(session, store.lock(session, customer_ids))
    yield books
    _expire(books)  # an order so old that its lot has ended earns and expires in one booking
    _store(books)


def anything(session: Session) -> bool:
    """Whether time has brought something for anybody."""
    return session.scalar(select(Account.customer_id).where(Account.due_at <= clock.now()).limit(1)) is not None


def sweep(session: Session, most: int = 500) -> int:
    """Bring at most `most` owners up to now who are due; returns how many were. Call again, in a new transaction."""
    due = select(Account.owner_id, Account.due_at).where(Account.due_at <= clock.now())
    owners = {owner for owner, _ in session.execute(due.order_by(Account.due_at).limit(most))}
    with opened(session, owners):
        return len(owners)


def read_lots(session: Session, which: Select[Any]) -> list[Lot]:
    """The lots whose ids `which` selects, as they are stored, first-expiring-first."""
    columns = (LotRow.customer_id, LotRow.order_id, LotRow.expires_at, LotRow.points, LotRow.remaining, LotRow.held)
    query = select(LotRow.id, *columns).where(LotRow.id.in_(which)).order_by(LotRow.expires_at, LotRow.id)
    return [Lot(*row) for row in session.execute(query)]


def let_go(books: Books, hold: Hold, state: str, committed: int = 0) -> list[Lot]:
    """Free a hold's lots, which must be of accounts in the books, and resolve it as `state`.

    Returns those lots, first-expiring-first.
    """
    query = select(HoldLot.lot_id, HoldLot.points).where(HoldLot.hold_id == hold.id)
    parts = dict(books.session.execute(query).all())
    lots = books.know(read_lots(books.session, select(HoldLot.lot_id).where(HoldLot.hold_id == hold.id)))
    for lot in lots:
        books.hold(lot, -parts[lot.id or 0])
    books.rows["holds"].append({"id": hold.id, "s": state, "p": committed})
    return lots


def _store(books: Books) -> None:
    books.close()
    announce_all(books.session, books.facts)


def _catch_up(books: Books, owners: Collection[int]) -> None:
    accounts = [one.customer_id for one in books.accounts.values() if one.owner_id in owners]
    _time_out(books, accounts)
    _activate(books, accounts)
    ended = select(LotRow.id).where(
        LotRow.customer_id.in_(accounts), LotRow.remaining > 0, LotRow.expires_at <= books.now
    )
    books.know(read_lots(books.session, ended))
    _expire(books)
    for owner_id in owners:
        books.settle(owner_id)


def _time_out(books: Books, accounts: list[int]) -> None:
    over = select(Hold).where(Hold.customer_id.in_(accounts), Hold.state == "held", Hold.expires_at <= books.now)
    fresh = over.order_by(Hold.id).execution_options(populate_existing=True)
    for hold in books.session.scalars(fresh).all():
        let_go(books, hold, "timed_out")


def _activate(books: Books, accounts: list[int]) -> None:
    columns = (Posted.order_id, Posted.customer_id, Posted.pending, Posted.available_at, Posted.ends_at)
    open_now = select(*columns).where(
        Posted.customer_id.in_(accounts), Posted.pending > 0, Posted.available_at <= books.now
    )
    ordered = open_now.order_by(Posted.available_at, Posted.order_id)
    for order_id, customer_id, pending, available_at, ends_at in books.session.execute(ordered):
        line = books.line(customer_id, "activate", order_id=order_id)
        books.pend(line, -pending, available_at)
        books.grant(line, pending, ends_at)
        books.rows["activated"].append({"o": order_id})


def _expire(books: Books) -> None:
    """Let the free points of ended lots expire, one line an account."""
    of_account: defaultdict[int, list[Lot]] = defaultdict(list)
    for lot in books.ended_lots():
        of_account[lot.customer_id].append(lot)
    for customer_id, lots in of_account.items():
        line = books.line(customer_id, "expire", orders=sorted({lot.order_id for lot in lots if lot.order_id}))
        points = sum(lot.free for lot in lots)
        for lot in lots:
            books.put(line, lot, -lot.free)
        books.facts.append(PointsExpired(customer_id=books.owner_of(customer_id), points=points))
