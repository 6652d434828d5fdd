"""What others ask of orders: sums per person, net of refunds."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from bot.core.sets import run
from tags.orders.models import Order
from tags.people.service import family_of

NET_SINCE = """
SELECT coalesce(c.survivor_id, c.id), sum(o.total_fen - o.refunded_fen)::bigint
FROM customers c JOIN orders o ON o.customer_id = c.id AND o.paid_at > %(since)s
WHERE c.id = ANY(%(ids)s) OR c.survivor_id = ANY(%(ids)s) GROUP BY 1
"""


def net_since(session: Session, customer_ids: Sequence[int], since: datetime) -> dict[int, int]:
    """Net spend in fen of orders paid after `since` (aware), by survivor, those merged into them included.

    Who bought nothing is left out.
    """
    return dict(run(session, NET_SINCE, ids=list(customer_ids), since=since))


def net_of(who: Column[int], since: datetime) -> ColumnElement[int]:
    """The same as SQL, for the survivors in column `who`; 0 for who bought nothing."""
    order = aliased(Order)
    net = select(func.coalesce(func.sum(order.total_fen - order.refunded_fen), 0))
    hers = net.where(order.customer_id.in_(family_of(who)), order.paid_at > since)
    return hers.correlate(who.table).scalar_subquery()
