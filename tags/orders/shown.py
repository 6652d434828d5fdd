"""What the customer object knows of orders (C3)."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.core.sets import run
from tags.people.cards import OrdersAnswer, facet

BOUGHT = """
SELECT coalesce(c.survivor_id, c.id), sum(b.orders)::int, sum(b.net_fen)::bigint, min(b.first_at), max(b.last_at)
FROM customers c JOIN buyers b ON b.customer_id = c.id
WHERE b.orders > 0 AND (c.id = ANY(%(ids)s) OR c.survivor_id = ANY(%(ids)s)) GROUP BY 1
"""


@facet("orders")
def orders(session: Session, customer_ids: Sequence[int]) -> dict[int, OrdersAnswer]:
    """The kept sums of those who have bought, with those of all who were merged into them."""
    return {
        customer_id: OrdersAnswer(count=count, net_fen=net_fen, first_at=first_at, last_at=last_at)
        for customer_id, count, net_fen, first_at, last_at in run(session, BOUGHT, ids=list(customer_ids))
    }
