"""Taking in orders, each once, with the sums kept of them (G5, T5)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from psycopg.errors import UniqueViolation
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import NotFound
from bot.core.events import announce_all
from bot.core.installation import installation_of
from bot.core.sets import MANY, copy, given, run
from tags.orders.errors import OtherContent
from tags.orders.events import OrderPaid
from tags.orders.models import Order, OrderItem
from tags.people import many
from tags.people.models import Customer


class Item(NamedTuple):
    """A line of an order: `quantity` pieces at `unit_price_fen` each."""

    sku: str
    name: str
    category: str
    quantity: int
    unit_price_fen: int


class NewOrder(NamedTuple):
    """An order as the shop tells it. order_id: the shop's. customer_id: ours. paid_at: aware. total_fen: what she paid.

    points_used: points that paid a further part of it.
    """

    order_id: str
    customer_id: int
    paid_at: datetime
    total_fen: int
    items: tuple[Item, ...]
    points_used: int = 0


@dataclass(frozen=True)
class Landed:
    """What became of orders told. fresh: those kept now, each with its month, in the order given.

    known: for each that was known, by its place in what was told, the fields in which it differs.
    """

    fresh: list[tuple[NewOrder, str]]
    known: dict[int, list[str]]

    def paid(self) -> list[OrderPaid]:
        """What is to be announced of the fresh ones."""
        return [
            OrderPaid(
                customer_id=order.customer_id, order_id=order.order_id, paid_at=order.paid_at, month=month,
                total_fen=order.total_fen, points_used=order.points_used,
                first_item=order.items[0].name if order.items else "", pieces=sum(one.quantity for one in order.items),
            )
            for order, month in self.fresh
        ]  # fmt: skip


def place(session: Session, orders: Sequence[NewOrder]) -> dict[str, bool]:
    """Keep orders and announce OrderPaid for each new one; says by order_id whether it is new.

    One that is known, from before or from earlier in `orders`, changes nothing (G5). Locks the customers.
    Raises OtherContent (409) where a known one differs, field by field; NotFound for a customer that is nobody.
    """
    buyers = many.lock_ids(session, {order.customer_id for order in orders})
    unknown = next((order.customer_id for order in orders if order.customer_id not in buyers), None)
    if unknown is not None:
        raise NotFound(f"there is no customer {unknown}")
    landed = land(session, [order._replace(customer_id=buyers[order.customer_id]) for order in orders])
    for at, differing in landed.known.items():
        if differing:
            raise OtherContent("order", orders[at].order_id, differing)
    announce_all(session, landed.paid())
    fresh = {order.order_id for order, _ in landed.fresh}
    return {order.order_id: order.order_id in fresh for order in orders}


def land(session: Session, orders: Sequence[NewOrder]) -> Landed:
    """Keep orders of locked survivors with their sums, without announcing them; however many, in a few statements."""
    zone = installation_of(session).settings.timezone
    first: dict[str, NewOrder] = {}
    for order in orders:
        first.setdefault(order.order_id, order)
    months = {name: clock.month_of(order.paid_at, zone) for name, order in first.items()}
    fresh = _keep(session, first, months)
    stored = _stored(session, first.keys() - fresh)
    known: dict[int, list[str]] = {}
    for at, order in enumerate(orders if len(fresh) < len(orders) else ()):
        kept = stored.get(order.order_id, first[order.order_id])
        if kept is not order:
            said = zip(NewOrder._fields, order, kept, strict=True)
            known[at] = [name.removesuffix("_id") for name, value, was in said if was != value]
    return Landed([(order, months[name]) for name, order in first.items() if name in fresh], known)


# What follows from fresh orders, in the statement that has them as `fresh`.
FOLLOWS = """
months AS (
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
)
"""
INSERT = f"""
WITH fresh AS (
    INSERT INTO orders (order_id, customer_id, paid_at, month, total_fen, points_used, refunded_fen, placed_at)
    SELECT o, c, p, m, t, s, 0, %(at)s FROM {{orders}} ORDER BY o
    ON CONFLICT (order_id) DO NOTHING RETURNING id, order_id, customer_id, month, paid_at, total_fen
), lines AS (
    INSERT INTO order_items (
        order_number, line, sku, name, category, quantity, unit_price_fen, customer_id, paid_at
    ) SELECT fresh.id, u.l, u.s, u.n, u.c, u.q, u.p, fresh.customer_id, fresh.paid_at
    FROM {{items}} JOIN fresh ON fresh.order_id = u.o
), {FOLLOWS} SELECT order_id FROM fresh
"""  # noqa: S608  # names are ours
ORDER = "o text, c bigint, p timestamptz, m text, t bigint, s bigint"
ITEM = "o text, l int, s text, n text, c text, q int, p bigint"
NUMBERS = "SELECT array_agg(nextval('orders_id_seq')) FROM generate_series(1, %(count)s)"
COPIED = f"""
WITH fresh AS MATERIALIZED (
    SELECT customer_id, month, paid_at, total_fen FROM orders WHERE id = ANY(%(numbers)s::bigint[])
), {FOLLOWS} SELECT 1
"""  # noqa: S608
COLUMNS = "id, order_id, customer_id, paid_at, month, total_fen, points_used, refunded_fen, placed_at"
LINES = "order_number, line, sku, name, category, quantity, unit_price_fen, customer_id, paid_at"


def _keep(session: Session, orders: Mapping[str, NewOrder], months: Mapping[str, str]) -> set[str]:
    """Keep those that are not known, with their lines and sums; their order_ids.

    Many are copied into the tables, which takes half the time; where somebody else keeps one of them meanwhile all is
    done again the other way, which leaves those out that are there.
    """
    if len(orders) >= MANY:
        there = stored(session, list(orders))
        fresh = {name: one for name, one in orders.items() if name not in there}
        if not fresh:
            return set()
        try:
            with session.begin_nested():
                _copy(session, fresh, months)
            return set(fresh)
        except IntegrityError as error:
            if not isinstance(error.orig, UniqueViolation):
                raise
    return _insert(session, orders, months)


def _copy(session: Session, orders: Mapping[str, NewOrder], months: Mapping[str, str]) -> None:
    """Copy orders into the tables in the order of their order_ids. Raises IntegrityError where one is there by now."""
    at, told, lines = clock.now().isoformat(), [], []
    [(numbers,)] = run(session, NUMBERS, count=len(orders))
    for number, (name, one) in zip(numbers, sorted(orders.items()), strict=True):
        paid_at = one.paid_at.isoformat()
        told.append((number, name, one.customer_id, paid_at, months[name], one.total_fen, one.points_used, 0, at))
        lines += [(number, line, *item, one.customer_id, paid_at) for line, item in enumerate(one.items)]
    copy(session, "orders", COLUMNS, told)
    copy(session, "order_items", LINES, lines)
    run(session, COPIED, numbers=numbers)


def _insert(session: Session, orders: Mapping[str, NewOrder], months: Mapping[str, str]) -> set[str]:
    """Insert those that are not known, with their lines and sums; their order_ids."""
    told = [
        {"o": name, "c": one.customer_id, "p": one.paid_at.isoformat(), "m": months[name], "t": one.total_fen,
         "s": one.points_used}
        for name, one in orders.items()
    ]  # fmt: skip
    lines = [
        {"o": name, "l": line, "s": item.sku, "n": item.name, "c": item.category, "q": item.quantity,
         "p": item.unit_price_fen}
        for name, one in orders.items() for line, item in enumerate(one.items)
    ]  # fmt: skip
    of_orders, values = given("told_orders", ORDER, told)
    of_items, more = given("told_items", ITEM, lines)
    statement = INSERT.format(orders=of_orders, items=of_items)
    return {order_id for (order_id,) in run(session, statement, **values, **more, at=clock.now())}


def stored(session: Session, order_ids: Sequence[str]) -> set[str]:
    """Those of these orders that are known."""
    ids = run(session, "SELECT order_id FROM orders WHERE order_id = ANY(%(ids)s)", ids=list(order_ids))
    return {order_id for (order_id,) in ids}


def _stored(session: Session, order_ids: Collection[str]) -> dict[str, NewOrder]:
    """Known orders as they were told, by order_id; the customer is the survivor."""
    if not order_ids:
        return {}
    lines: dict[int, list[Item]] = {}
    mine = Order.order_id.in_(order_ids)
    columns = (OrderItem.order_number, OrderItem.sku, OrderItem.name, OrderItem.category, OrderItem.quantity,
               OrderItem.unit_price_fen)  # fmt: skip
    bought = select(*columns).join(Order, Order.id == OrderItem.order_number).where(mine)
    for item in session.execute(bought.order_by(OrderItem.order_number, OrderItem.line)):
        lines.setdefault(item.order_number, []).append(Item(*item[1:]))
    orders = select(
        Order.id, Order.order_id, func.coalesce(Customer.survivor_id, Customer.id), Order.paid_at, Order.total_fen,
        Order.points_used,
    ).join(Customer, Customer.id == Order.customer_id)  # fmt: skip
    return {
        order_id: NewOrder(order_id, customer_id, paid_at, total_fen, tuple(lines.get(number, ())), points_used)
        for number, order_id, customer_id, paid_at, total_fen, points_used in session.execute(orders.where(mine))
    }


def find(session: Session, order_id: str) -> Order | None:
    """The order the shop calls `order_id`."""
    return session.scalar(select(Order).where(Order.order_id == order_id))
