"""Points held for an order that is not paid yet: kept in their lots, resolved once (P1, K3).

A hold ends with the first of its lots at the latest, so that nothing that has ended is ever spent. Claw-backs and other
spending leave held points alone; what is let go pays her debts first.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.errors import NotFound
from handlers.points import due, preferences, rules
from handlers.points.errors import HoldOver, TooFewPoints
from handlers.points.events import PointsSpent
from handlers.points.ledger import Books
from handlers.points.models import Hold, HoldLot


def hold(session: Session, customer_id: int, order_id: str, points: int) -> Hold:
    """Hold `points` (1 or more) of hers for an order, for `points_hold_minutes`; replaces what is held for it (K3).

    Locks her accounts. Raises TooFewPoints (422), HoldOver (409) where the order's points are committed already or
    another customer's are held for it.
    """
    with due.opened(session, [customer_id]) as books:
        owner = books.owner_of(customer_id)
        before = _newest(session, order_id)
        if before is not None and before.state == "committed":
            raise HoldOver(order_id, before.state)
        if before is not None and before.state == "held":
            if before.customer_id not in books.accounts:
                raise HoldOver(order_id, "held by another customer")
            due.let_go(books, before, "released")
        if points > books.spendable(owner):
            raise TooFewPoints("/points", points, books.spendable(owner))
        books.load_lots({owner: points})
        parts = rules.take(points, books.open_lots(owner))
        until = books.now + timedelta(minutes=preferences.points_hold_minutes.of(session))
        ends_at = min([until, *(lot.expires_at for lot, _ in parts)])
        for lot, part in parts:
            books.hold(lot, part)
        books.accounts[owner].wake_at(ends_at)
    made = Hold(
        customer_id=owner, order_id=order_id, points=points, committed=0, made_at=books.now, expires_at=ends_at,
        state="held",
    )  # fmt: skip
    session.add(made)
    session.flush()
    session.add_all(HoldLot(hold_id=made.id, lot_id=lot.id, points=part) for lot, part in parts)
    session.flush()
    return made


def commit(session: Session, order_id: str, points: int | None = None, cause: str = "") -> None:
    """Spend what is held for an order, or `points` of it, and let the rest go. Again changes nothing (G5).

    Locks her accounts. Raises NotFound, HoldOver (409) where it was released, timed out or committed with other points,
    TooFewPoints (422) for more than is held.
    """
    with due.opened(session, [_holder(session, order_id)]) as books:
        found = _newest(session, order_id)
        assert found is not None  # `_holder` found it, and holds are never deleted
        if found.state == "committed" and points in (None, found.committed):
            return
        if found.state != "held":
            raise HoldOver(order_id, found.state)
        wanted = found.points if points is None else points
        if wanted > found.points:
            raise TooFewPoints("/points", wanted, found.points)
        commit_open(books, found, wanted, cause)


def release(session: Session, order_id: str) -> None:
    """Let go of what is held for an order; what is over already stays so (G5).

    Locks her accounts. Raises NotFound, HoldOver (409) where it is committed.
    """
    with due.opened(session, [_holder(session, order_id)]) as books:
        found = _newest(session, order_id)
        assert found is not None
        if found.state == "committed":
            raise HoldOver(order_id, found.state)
        if found.state == "held":
            due.let_go(books, found, "released")
            books.settle(books.owner_of(found.customer_id))


def open_hold(books: Books, order_id: str, owner_id: int) -> Hold | None:
    """What this owner holds for an order now."""
    found = _newest(books.session, order_id)
    if found is None or found.state != "held" or found.customer_id not in books.accounts:
        return None
    return found if books.owner_of(found.customer_id) == owner_id else None


def commit_open(books: Books, found: Hold, points: int, cause: str) -> None:
    """Spend `points` of an open hold from the lots it kept, and let the rest go."""
    owner = books.owner_of(found.customer_id)
    lots = due.let_go(books, found, "committed", committed=points)
    line = books.line(owner, "spend", order_id=found.order_id, cause=cause)
    for lot, part in rules.take(points, lots):
        books.put(line, lot, -part)
    books.settle(owner)
    books.facts.append(PointsSpent(customer_id=owner, order_id=found.order_id, points=points))


def _holder(session: Session, order_id: str) -> int:
    found = _newest(session, order_id)
    if found is None:
        raise NotFound(f"no points were held for order {order_id}")
    return found.customer_id


def _newest(session: Session, order_id: str) -> Hold | None:
    query = select(Hold).where(Hold.order_id == order_id).order_by(Hold.id.desc()).limit(1)
    return session.scalar(query.execution_options(populate_existing=True))
