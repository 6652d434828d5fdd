"""Invariants of orders: the kept sums are what the orders and refunds say."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy.orm import Session

from bot.core.checks import check
from bot.core.sets import run

REFUNDED = """
SELECT o.order_id, o.refunded_fen, coalesce(sum(r.amount_fen), 0), o.refunded_at IS NOT NULL, count(r.id)
FROM orders o LEFT JOIN refunds r ON r.order_number = o.id GROUP BY o.id
HAVING o.refunded_fen <> coalesce(sum(r.amount_fen), 0)
    OR (o.refunded_at IS NOT NULL) <> (count(r.id) > 0 AND o.refunded_fen = o.total_fen)
"""
MONTHS = """
SELECT * FROM (
    SELECT customer_id, month, count(*) FILTER (WHERE refunded_at IS NULL) AS orders,
        sum(total_fen - refunded_fen) AS net
    FROM orders GROUP BY 1, 2
) AS o FULL JOIN order_months m USING (customer_id, month)
WHERE (o.orders, o.net) IS DISTINCT FROM (m.orders, m.net_fen)
"""
BUYERS = """
SELECT * FROM (
    SELECT customer_id, count(*) FILTER (WHERE refunded_at IS NULL) AS orders, sum(total_fen - refunded_fen) AS net,
        min(paid_at) FILTER (WHERE refunded_at IS NULL) AS first,
        max(paid_at) FILTER (WHERE refunded_at IS NULL) AS last
    FROM orders GROUP BY 1
) AS o FULL JOIN buyers b USING (customer_id)
WHERE (o.orders, o.net, o.first, o.last) IS DISTINCT FROM (b.orders, b.net_fen, b.first_at, b.last_at)
"""


@check("orders: what is refunded is the sum of the refunds")
def refunded(session: Session) -> Iterator[str]:
    for order_id, kept, summed, *_ in run(session, REFUNDED):
        yield f"order {order_id} keeps {kept} fen refunded, its refunds sum to {summed}"


@check("orders: months are the sums of their orders")
def months(session: Session) -> Iterable[str]:
    return _differing("month", run(session, MONTHS))


@check("orders: buyers are the sums of their orders")
def buyers(session: Session) -> Iterable[str]:
    return _differing("buyer", run(session, BUYERS))


STRAY = """
SELECT i.order_number FROM order_items i LEFT JOIN orders o ON o.id = i.order_number WHERE o.id IS NULL GROUP BY 1
"""


@check("orders: every line belongs to an order")
def lines(session: Session) -> Iterator[str]:
    for (number,) in run(session, STRAY):
        yield f"lines name the order number {number}, which is not there"


BUYING = """
WITH buying AS (
    SELECT DISTINCT coalesce(c.survivor_id, c.id) AS id FROM buyers b JOIN customers c ON c.id = b.customer_id
    WHERE b.orders > 0
) SELECT coalesce(b.id, k.customer_id), b.id IS NOT NULL FROM buying b
FULL JOIN ({kept}) AS k ON k.customer_id = b.id WHERE b.id IS NULL OR k.customer_id IS NULL
"""


def kept_of_buyers(session: Session, kept: str, what: str) -> Iterator[str]:
    """For features that keep something of each survivor with an order that counts, and of nobody else.

    kept: SQL of the column customer_id. what: how it is called (`scores`).
    """
    for customer_id, buys in run(session, BUYING.format(kept=kept)):
        yield f"customer {customer_id} {f'has orders and no {what}' if buys else f'has {what} and no orders'}"


def _differing(what: str, rows: Any) -> Iterator[str]:
    for customer_id, *facts in rows:
        yield f"the {what} kept for customer {customer_id} is not what the orders say: {facts}"
