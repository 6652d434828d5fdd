"""What others ask of orders: sums per person, net of refunds."""

from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import BigInteger, Column, ColumnElement, Select, and_, func, literal, or_, select, union_all
from sqlalchemy.orm import Session, aliased

from bot.core.sets import run
from tags.orders.models import Order
from tags.people.service import by_owner, family_of

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


def buyers_between(*spans: tuple[datetime, datetime]) -> Select[*tuple[Any, ...]]:
    """The survivors with an order paid after the one moment, and not after the other, of one of the spans."""
    order = aliased(Order)
    between = [and_(order.paid_at > after, order.paid_at <= until) for after, until in spans]
    return by_owner(order).where(or_(*between))


def net_by_buyer(since: datetime) -> Select[*tuple[Any, ...]]:
    """Survivors and their net spend in fen of orders paid after `since`; of those who have any."""
    order = aliased(Order)
    return by_owner(order, func.sum(order.total_fen - order.refunded_fen)).where(order.paid_at > since)


def net_of(who: Column[int], since: datetime) -> ColumnElement[int]:
    """The same as SQL, for the survivors in column `who`; 0 for who bought nothing."""
    order = aliased(Order)
    net = select(func.coalesce(func.sum(order.total_fen - order.refunded_fen), 0))
    hers = net.where(order.customer_id.in_(family_of(who)), order.paid_at > since)
    return hers.correlate(who.table).scalar_subquery()


def net_stays(
    who: Column[int], *, least: int, below: int | None, months: int, since: datetime, until: datetime, zone: tzinfo
) -> ColumnElement[bool]:
    """Whether the net spend of the `months` before it was from `least` to `below` fen at every moment of a span (SQL).

    An order leaves the sum `months` of the brand's calendar after it was paid; what was refunded since never counted.
    """
    order = aliased(Order)
    net, hers = order.total_fen - order.refunded_fen, order.customer_id.in_(family_of(who))
    local = func.timezone(str(zone), order.paid_at) + func.make_interval(0, months)
    leaves = func.timezone(str(zone), local)
    came = select(order.paid_at.label("at"), net.label("change")).where(hers, order.paid_at <= until)
    went = select(leaves, -net).where(hers, leaves <= until)
    begun = select(literal(since), literal(0, BigInteger))
    changes = union_all(came.correlate(who.table), went.correlate(who.table), begun).subquery()
    at = func.greatest(changes.c.at, since)  # all from before the span is one change at its beginning
    sums = select(func.sum(changes.c.change).over(order_by=at).label("net")).correlate(who.table).subquery()
    so = [func.min(sums.c.net) >= least, *([func.max(sums.c.net) < below] if below is not None else [])]
    return select(and_(*so)).correlate(who.table).scalar_subquery()
