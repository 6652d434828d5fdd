"""How many orders still have no contact (C7)."""

import time
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.core.installation import installation_of
from bot.core.sets import run

FRESH_SECONDS = 300.0  # of the number over the customer list, which reads the sums of all buyers

COUNT = """
SELECT coalesce(sum(b.orders), 0)::bigint, count(DISTINCT l.customer_id), coalesce(sum(b.net_fen), 0)::bigint
FROM buyers b JOIN customers c ON c.id = b.customer_id
JOIN lifecycles l ON l.customer_id = coalesce(c.survivor_id, c.id) AND l.stage = 'stranger' WHERE b.orders > 0
"""


@dataclass(frozen=True)
class Unbound:
    """Orders that count, their customers, and the net spend of these in fen."""

    orders: int
    customers: int
    net_fen: int


def count(session: Session) -> Unbound:
    """What strangers bought: whose stage says that nobody ever had them as a contact (T6)."""
    return Unbound(*run(session, COUNT)[0])


def lately(session: Session) -> Unbound:
    """The same, at most `FRESH_SECONDS` old."""
    caches = installation_of(session).caches
    at: float
    found: Unbound | None
    at, found = caches.get("unbound orders", (0.0, None))
    if found is None or time.monotonic() - at > FRESH_SECONDS:
        found = count(session)
        caches["unbound orders"] = (time.monotonic(), found)
    return found
