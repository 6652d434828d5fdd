"""What others ask of orders: sums per person, net of refunds."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from bot.core.sets import run

NET_SINCE = """
WITH RECURSIVE family AS (
    SELECT id, id AS survivor FROM customers WHERE id = ANY(%(ids)s)
    UNION ALL SELECT c.id, f.survivor FROM customers c JOIN family f ON c.merged_into = f.id
) SELECT f.survivor, sum(o.total_fen - o.refunded_fen)::bigint
FROM family f JOIN orders o ON o.customer_id = f.id AND o.paid_at > %(since)s GROUP BY 1
"""


def net_since(session: Session, customer_ids: Sequence[int], since: datetime) -> dict[int, int]:
    """Net spend in fen of orders paid after `since` (aware), by survivor, those merged into them included.

    Who bought nothing is left out.
    """
    return dict(run(session, NET_SINCE, ids=list(customer_ids), since=since))
