"""Taking in refunds, each once (G5); they belong to their order's month, however late they are (P2)."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.core.errors import Unacceptable
from bot.core.events import announce
from tags.orders.errors import MoreThanLeft, NoOrder, OtherContent
from tags.orders.events import OrderRefunded
from tags.orders.models import Buyer, Order, OrderItem, OrderMonth, Refund
from tags.people import service as people


@dataclass(frozen=True)
class NewRefund:
    """A part given back. refund_id: the shop's, unique in its order. items: (sku, quantity), may be empty."""

    refund_id: str
    amount_fen: int
    refunded_at: datetime
    items: tuple[tuple[str, int], ...] = ()


def refund(session: Session, order_id: str, new: NewRefund) -> bool:
    """Keep a refund and announce OrderRefunded; False where it is known with the same content.

    Locks the customer and the order. Raises NoOrder (404), OtherContent (409), MoreThanLeft (422) for more money or
    more pieces than are left, Unacceptable (422) for nothing at all; both name the place.
    """
    order = _lock(session, order_id)
    known = session.scalar(select(Refund).where(Refund.order_number == order.id, Refund.refund_id == new.refund_id))
    if known is not None:
        told = NewRefund(known.refund_id, known.amount_fen, known.refunded_at, tuple(map(tuple, known.items)))
        differing = [name for name, value in vars(new).items() if getattr(told, name) != value]
        if differing:
            raise OtherContent("refund", new.refund_id, differing)
        return False
    _check(session, order, new)
    session.add(Refund(
        order_number=order.id, refund_id=new.refund_id, amount_fen=new.amount_fen, refunded_at=new.refunded_at,
        items=[list(item) for item in new.items],
    ))  # fmt: skip
    order.refunded_fen += new.amount_fen
    gone = order.refunded_fen == order.total_fen
    order.refunded_at = new.refunded_at if gone else None
    session.flush()
    _subtract(session, order, new.amount_fen, int(gone))
    announce(session, OrderRefunded(
        customer_id=people.survivor(session, order.customer_id), account_id=order.customer_id, order_id=order_id,
        refund_id=new.refund_id, refunded_at=new.refunded_at, paid_at=order.paid_at, month=order.month,
        amount_fen=new.amount_fen, refunded_fen=order.refunded_fen, total_fen=order.total_fen,
    ))  # fmt: skip
    return True


def _lock(session: Session, order_id: str) -> Order:
    query = select(Order).where(Order.order_id == order_id)
    found = session.scalar(query)
    if found is None:
        raise NoOrder(order_id)
    people.lock(session, found.customer_id)
    return session.scalars(query.with_for_update().execution_options(populate_existing=True)).one()


def _check(session: Session, order: Order, new: NewRefund) -> None:
    if new.amount_fen == 0 and order.total_fen > 0:
        raise Unacceptable.at("/amount_fen", "is 0, expected at least 1 where the order was not paid with points alone")
    left_fen = order.total_fen - order.refunded_fen
    if new.amount_fen > left_fen or order.refunded_at is not None:
        raise MoreThanLeft("/amount_fen", new.amount_fen, left_fen)
    ordered = select(OrderItem.sku, func.sum(OrderItem.quantity)).where(OrderItem.order_number == order.id)
    left: Counter[str] = Counter(dict(session.execute(ordered.group_by(OrderItem.sku)).all()))
    for items in session.scalars(select(Refund.items).where(Refund.order_number == order.id)):
        for sku, quantity in items:
            left[sku] -= quantity
    for at, (sku, quantity) in enumerate(new.items):
        if quantity > left[sku]:
            raise MoreThanLeft(f"/items/{at}/quantity", quantity, left[sku])
        left[sku] -= quantity


def _subtract(session: Session, order: Order, amount_fen: int, gone: int) -> None:
    """Take a refund off the kept sums; an order with nothing left no longer counts as one (P2)."""
    month = (OrderMonth.customer_id == order.customer_id) & (OrderMonth.month == order.month)
    session.execute(
        update(OrderMonth).where(month).values(net_fen=OrderMonth.net_fen - amount_fen, orders=OrderMonth.orders - gone)
    )
    hers = Buyer.customer_id == order.customer_id
    session.execute(update(Buyer).where(hers).values(net_fen=Buyer.net_fen - amount_fen, orders=Buyer.orders - gone))
    if gone:
        counting = Order.customer_id == order.customer_id, Order.refunded_at.is_(None)
        first, last = (select(end(Order.paid_at)).where(*counting).scalar_subquery() for end in (func.min, func.max))
        session.execute(update(Buyer).where(hers).values(first_at=first, last_at=last))
