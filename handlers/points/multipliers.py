"""The register of multipliers: what makes an order earn more than its month's rate (P2).

    @multiplier("tier")
    def tier(session: Session, orders: Sequence[Posting]) -> Mapping[str, Factor]: ...

A multiplier is asked once, when an order is posted, and answers as of the order's `paid_at`; what it said is fixed.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from bot.core.feature import Register
from handlers.points.rules import WHOLE_BP


@dataclass(frozen=True)
class Posting:
    """An order as it stands, for the ledger. customer_id: whose month account; month: local, `2026-11`.

    net_fen: paid minus refunded so far. cause: what brings it to the ledger now (`order:A1`, `refund:A1/R1`).
    """

    order_id: str
    customer_id: int
    month: str
    paid_at: datetime
    net_fen: int
    cause: str


@dataclass(frozen=True)
class Factor:
    """A multiplier in basis points (15,000 is 1.5 times) and why, in words the ledger shows."""

    multiplier_bp: int
    why: str


Multiplier = Callable[[Session, Sequence[Posting]], Mapping[str, Factor]]
multipliers: Register[tuple[str, Multiplier]] = Register("multipliers")


def multiplier(source: str) -> Callable[[Multiplier], Multiplier]:
    """Mark a function that gives orders a factor, by order id; an order it leaves out has none. `source` is unique."""
    return lambda function: multipliers.mark(function, (source, function))


def factors(session: Session, orders: Sequence[Posting], add_up: bool) -> Iterator[tuple[Posting, str, Factor]]:
    """What applies to each order: with `add_up` every factor above 1, else only the highest, the first among equals."""
    said = [(source, function(session, orders)) for source, function in multipliers]
    for order in orders:
        hers = [(source, by_order[order.order_id]) for source, by_order in said if order.order_id in by_order]
        raising = [(source, factor) for source, factor in hers if factor.multiplier_bp > WHOLE_BP]
        if raising and not add_up:
            raising = [max(raising, key=lambda one: one[1].multiplier_bp)]
        for source, factor in raising:
            yield order, source, factor
