"""Taking in orders, each once, with the sums kept of them (G5, T5)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce_all
from bot.core.installation import installation_of
from bot.core.sets import FEW, document, rows, run
from tags.orders.errors import OtherContent
from tags.orders.events import OrderPaid
from tags.orders.models import Order, OrderItem
from tags.people import service as people


@dataclass(frozen=True)
class Item:
    """A line of an order: `quantity` pieces at `unit_price_fen` each."""

    sku: str
    name: str
    category: str
    quantity: int
    unit_price_fen: int


@dataclass(frozen=True)
class NewOrder:
    """An order as the shop tells it. order_id: the shop's. customer_id: ours. paid_at: aware. total_fen: what she paid.

    points_used: points that paid a further part of it.
    """

    order_id: str
    customer_id: int
    paid_at: datetime
    total_fen: int
    items: tuple[Item, ...]
    points_used: int = 0


def place(session: Session, orders: Sequence[NewOrder]) -> dict[str, bool]:
    """Keep orders and announce OrderPaid for each new one; says by order_id whether it is new.

    One that is known, from before or from earlier in `orders`, changes nothing (G5). Locks the customers.
    Raises OtherContent (409) where a known one differs, field by field; NotFound for a customer that is nobody.
    """
    asked = sorted({order.customer_id for order in orders})
    buyers = dict(zip(asked, people.lock(session, *asked), strict=True))
    orders = [replace(order, customer_id=buyers[order.customer_id].id) for order in orders]
    first: dict[str, NewOrder] = {}
    for order in orders:
        first.setdefault(order.order_id, order)
    zone = installation_of(session).settings.timezone
    months = {name: clock.month_of(order.paid_at, zone) for name, order in first.items()}
    fresh = _insert(session, first, months)
    kept = {name: first[name] for name in fresh} | _stored(session, [name for name in first if name not in fresh])
    for order in orders:
        differing = [name for name, value in vars(order).items() if getattr(kept[order.order_id], name) != value]
        if differing:
            raise OtherContent("order", order.order_id, [name.removesuffix("_id") for name in differing])
    announce_all(session, [_paid(first[name], months[name]) for name in fresh])
    return {name: name in fresh for name in first}


INSERT = """
WITH fresh AS (
    INSERT INTO orders (order_id, customer_id, paid_at, month, total_fen, points_used, refunded_fen, placed_at)
    SELECT o, c, p, m, t, s, 0, %(at)s FROM {orders} ORDER BY o
    ON CONFLICT (order_id) DO NOTHING RETURNING id, order_id, customer_id, month, paid_at, total_fen
), lines AS (
    INSERT INTO order_items (order_number, line, sku, name, category, quantity, unit_price_fen)
    SELECT fresh.id, u.l, u.s, u.n, u.c, u.q, u.p FROM {items} JOIN fresh ON fresh.order_id = u.o
), months AS (
    INSERT INTO order_months AS t (customer_id, month, orders, net_fen)
    SELECT customer_id, month, count(*), sum(total_fen) FROM fresh GROUP BY 1, 2 ORDER BY 1, 2
    ON CONFLICT (customer_id, month) DO UPDATE
    SET orders = t.orders + excluded.orders, net_fen = t.net_fen + excluded.net_fen
), sums AS (
    INSERT INTO buyers AS t (customer_id, orders, net_fen, first_at, last_at)
    SELECT customer_id, count(*), sum(total_fen), min(paid_at), max(paid_at) FROM fresh GROUP BY 1 ORDER BY 1
    ON CONFLICT (customer_id) DO UPDATE
    SET orders = t.orders + excluded.orders, net_fen = t.net_fen + excluded.net_fen,
        first_at = least(t.first_at, excluded.first_at), last_at = greatest(t.last_at, excluded.last_at)
), seen AS (
    UPDATE customers t SET seen_at = f.at FROM (SELECT customer_id, max(paid_at) AS at FROM fresh GROUP BY 1) AS f
    WHERE t.id = f.customer_id AND t.seen_at < f.at
) SELECT order_id FROM fresh
"""


def _insert(session: Session, orders: Mapping[str, NewOrder], months: Mapping[str, str]) -> list[str]:
    """Insert those that are not known, with their lines and sums; their order_ids, in the order given."""
    records = [
        {"o": one.order_id, "c": one.customer_id, "p": one.paid_at.isoformat(), "m": months[name],
         "t": one.total_fen, "s": one.points_used}
        for name, one in orders.items()
    ]  # fmt: skip
    lines = [
        {"o": name, "l": n, "s": item.sku, "n": item.name, "c": item.category, "q": item.quantity,
         "p": item.unit_price_fen}
        for name, one in orders.items() for n, item in enumerate(one.items)
    ]  # fmt: skip
    few = max(len(records), len(lines)) <= FEW
    statement = INSERT.format(
        orders=rows("orders", "o text, c bigint, p timestamptz, m text, t bigint, s bigint", few=few),
        items=rows("items", "o text, l int, s text, n text, c text, q int, p bigint", few=few),
    )
    values = {"orders": document(records), "items": document(lines), "at": clock.now()}
    inserted = {order_id for (order_id,) in run(session, statement, **values)}
    return [name for name in orders if name in inserted]


def _stored(session: Session, order_ids: Sequence[str]) -> dict[str, NewOrder]:
    """Known orders as they were told, by order_id; the customer is the survivor."""
    if not order_ids:
        return {}
    lines: dict[int, list[Item]] = {}
    query = select(OrderItem).join(Order, Order.id == OrderItem.order_number).where(Order.order_id.in_(order_ids))
    for line in session.scalars(query.order_by(OrderItem.order_number, OrderItem.line)):
        item = Item(line.sku, line.name, line.category, line.quantity, line.unit_price_fen)
        lines.setdefault(line.order_number, []).append(item)
    return {
        one.order_id: NewOrder(
            one.order_id, people.survivor(session, one.customer_id), one.paid_at, one.total_fen,
            tuple(lines.get(one.id, ())), one.points_used,
        )
        for one in session.scalars(select(Order).where(Order.order_id.in_(order_ids)))
    }  # fmt: skip


def _paid(order: NewOrder, month: str) -> OrderPaid:
    return OrderPaid(
        customer_id=order.customer_id, order_id=order.order_id, paid_at=order.paid_at, month=month,
        total_fen=order.total_fen, points_used=order.points_used,
        first_item=order.items[0].name if order.items else "", pieces=sum(item.quantity for item in order.items),
    )  # fmt: skip


def find(session: Session, order_id: str) -> Order | None:
    """The order the shop calls `order_id`."""
    return session.scalar(select(Order).where(Order.order_id == order_id))
