"""How many orders still have no contact (C7)."""

from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.core.sets import run

COUNT = """
SELECT coalesce(sum(b.orders), 0)::bigint, count(DISTINCT l.customer_id), coalesce(sum(b.net_fen), 0)::bigint
FROM lifecycles l JOIN customers c ON c.id = l.customer_id OR c.survivor_id = l.customer_id
JOIN buyers b ON b.customer_id = c.id AND b.orders > 0 WHERE l.stage = 'stranger'
"""


@dataclass(frozen=True)
class Unbound:
    """Orders that count, their customers, and the net spend of these in fen."""

    orders: int
    customers: int
    net_fen: int


def count(session: Session) -> Unbound:
    """What strangers bought: read off their stages and sums, so that the work grows with strangers alone (T6)."""
    return Unbound(*run(session, COUNT)[0])
