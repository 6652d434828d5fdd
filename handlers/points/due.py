"""What time brings: holds time out, pending points become spendable, lots end; always before anything else is booked.

`opened` brings the accounts it locks up to now, each change as of its own moment, so that no booking and no statement
meets an ended lot and the books are the same whether a sweep has been by or not. Of one moment the order is P1's:
time-outs, pending, ends.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.db import Query
from handlers.points import store
from handlers.points.events import PointsExpired
from handlers.points.ledger import Books
from handlers.points.models import Account, Hold, HoldLot, LotRow, Posted
from handlers.points.planned import Lot


@contextmanager
def opened(session: Session, customer_ids: Collection[int], *asked: Query) -> Iterator[Books]:
    """The books of these customers and their families: locked, brought up to now, stored when the block ends.

    asked: what is read in the round trip that locks; its answers are `books.told`. Raises NotFound for an id that is
    nobody's. What the block raises leaves nothing stored.
    """
    books = Books(session, *store.lock(session, customer_ids, *asked), clock.now())
    if late := books.late():
        _catch_up(books, late)
        books.close()
        store.recompute_due(session, sorted(late))
        books = Books(session, *store.lock(session, customer_ids, *asked), books.now)
    yield books
    for owner_id in books.owners:
        _expire(books, owner_id)  # an order so old that its lot has ended earns and expires in one booking
    books.close()


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


def _catch_up(books: Books, owners: Collection[int]) -> None:
    now, session = books.now, books.session
    accounts = [one.customer_id for one in books.accounts.values() if one.owner_id in owners]
    over = select(Hold).where(Hold.customer_id.in_(accounts), Hold.state == "held", Hold.expires_at <= now)
    open_now = select(Posted).where(Posted.customer_id.in_(accounts), Posted.pending > 0, Posted.available_at <= now)
    steps: defaultdict[int, list[tuple[datetime, int, Hold | Posted]]] = defaultdict(list)
    for hold in session.scalars(over.order_by(Hold.id).execution_options(populate_existing=True)):
        steps[books.owner_of(hold.customer_id)].append((hold.expires_at, 0, hold))
    for order in session.scalars(open_now.order_by(Posted.order_id).execution_options(populate_existing=True)):
        steps[books.owner_of(order.customer_id)].append((order.available_at, 1, order))
    ended = select(LotRow.id).where(LotRow.customer_id.in_(accounts), LotRow.remaining > 0, LotRow.expires_at <= now)
    books.know(read_lots(session, ended))
    for owner_id in owners:
        for books.now, _, step in sorted(steps[owner_id], key=lambda one: one[:2]):
            _expire(books, owner_id)
            if isinstance(step, Hold):
                let_go(books, step, "timed_out")
            else:
                _activate(books, step)
            books.settle(owner_id)
        books.now = now
        _expire(books, owner_id)


def _activate(books: Books, order: Posted) -> None:
    line = books.line(order.customer_id, "activate", order_id=order.order_id)
    books.pend(line, -order.pending, order.available_at)
    books.grant(line, order.pending, order.ends_at)
    books.rows["activated"].append({"o": order.order_id})


def _expire(books: Books, owner_id: int) -> None:
    """Let the free points of ended lots expire, one line an account and end."""
    together: defaultdict[tuple[datetime, int], list[Lot]] = defaultdict(list)
    for lot in books.ended_lots(owner_id):
        together[lot.expires_at, lot.customer_id].append(lot)
    for (ended_at, customer_id), lots in sorted(together.items()):
        points = sum(lot.free for lot in lots)
        line = books.line(customer_id, "expire", orders=sorted({lot.order_id for lot in lots if lot.order_id}))
        line.at = ended_at
        for lot in lots:
            books.put(line, lot, -lot.free)
        books.facts.append(PointsExpired(customer_id=owner_id, points=points))
