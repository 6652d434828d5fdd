"""What orders earn and refunds take back: one rule for both, since both change what an order's net spend is (P2).

The month account is brought up to the new net, and the difference in its base points is what this order changed; then
the bonuses of the month are recomputed with the rate it has reached. What is new goes to her debts and into the order's
lot, what is too much is clawed back.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.orm import Session

from handlers.points import bonuses, due, preferences, rules, store
from handlers.points.events import PointsEarned, PointsTakenBack
from handlers.points.ledger import Books
from handlers.points.multipliers import Posting
from handlers.points.planned import Change, Month, Order


def earn(session: Session, postings: Sequence[Posting]) -> None:
    """Bring the ledger up to what these orders' net spend is now, and announce what they earned or gave up.

    An order's net only falls, so posting it again, late or out of order changes nothing (G5). Locks the accounts.
    """
    customers = {posting.customer_id for posting in postings}
    with due.opened(session, customers, store.posted(postings)) as books:
        orders, months = store.known(session, *books.told)
        changes: list[Change] = []
        touched: dict[Month, str] = {}
        fresh = []
        for posting in postings:
            order = orders.get(posting.order_id)
            if order is None:
                order = orders[posting.order_id] = _begin(session, posting)
                fresh.append(posting)
            elif posting.net_fen >= order.net_fen:
                continue
            key = order.customer_id, order.month
            month = months.get(key) or months.setdefault(key, Month(*key, *preferences.steps_in_force(session)))
            month.net_fen += posting.net_fen - order.net_fen
            order.net_fen = posting.net_fen
            before, month.base = month.base, rules.base_points(month.net_fen, month.steps)
            changes.append(Change("earn", order, month.base - before, posting.cause, month.facts))
            touched[month] = posting.cause
        changes += bonuses.recompute(books, orders, touched, fresh)
        _book(books, changes)
        books.rows["months"] += map(store.month_row, touched)
        books.rows["orders"] += map(store.order_row, {change.order: None for change in changes})


def _begin(session: Session, posting: Posting) -> Order:
    """An order met for the first time; from when until when its points can be spent is fixed now."""
    available_at = posting.paid_at + timedelta(days=preferences.points_pending_days.of(session))
    ends_at = preferences.lot_end(session, posting.paid_at)
    return Order(posting.order_id, posting.customer_id, posting.month, 0, 0, available_at, ends_at)


def _book(books: Books, changes: Sequence[Change]) -> None:
    """Write a line for each change and tell, by cause, what was earned and what was taken back."""
    lacking: Counter[int] = Counter()
    for change in changes:
        if change.points < 0:
            lacking[books.owner_of(change.order.customer_id)] -= change.points
    books.load_lots(lacking, [change.order.order_id for change in changes if change.points < 0])
    earned: defaultdict[str, Counter[str]] = defaultdict(Counter)
    owed: Counter[str] = Counter()
    for change in changes:
        if change.points > 0:
            _grant(books, change)
        elif change.points < 0:
            owed[change.cause] += _claw_back(books, change)
        earned[change.cause][change.kind] += change.points
    by_cause = {change.cause: change.order for change in reversed(changes) if change.kind == "earn"}
    for cause, order in by_cause.items():
        owner, points = books.owner_of(order.customer_id), earned[cause].total()
        if points > 0:
            books.facts.append(PointsEarned(
                customer_id=owner, order_id=order.order_id, points=points, base=earned[cause]["earn"],
                bonus=earned[cause]["bonus"], pending=order.available_at > books.now,
            ))  # fmt: skip
        elif points < 0:
            books.facts.append(PointsTakenBack(
                customer_id=owner, order_id=order.order_id, points=-points, debt=owed[cause]
            ))  # fmt: skip


def _grant(books: Books, change: Change) -> None:
    order = change.order
    line = books.line(
        order.customer_id, change.kind, order_id=order.order_id, cause=change.cause, **change.facts
    )  # fmt: skip
    if order.available_at > books.now:
        order.pending += change.points
        books.pend(line, change.points, order.available_at)
    else:
        books.grant(line, change.points, order.ends_at)


def _claw_back(books: Books, change: Change) -> int:
    """Take points back from the order's pending, its own lots, other lots first-expiring-first, then as debt (P1).

    Returns the new debt, in points.
    """
    order, left = change.order, -change.points
    line = books.line(order.customer_id, "claw_back", order_id=order.order_id, cause=change.cause, **change.facts)
    from_pending = min(left, order.pending)
    order.pending -= from_pending
    books.pend(line, -from_pending, order.available_at)
    left -= from_pending
    left -= books.take(line, left, owner_id=books.owner_of(order.customer_id), own=order.order_id)
    books.owe(line, left)
    return left
