"""What orders announce."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class OrderPaid(Event, name="order.paid"):
    """The shop told of a paid order, once. order_id: the shop's. paid_at: aware UTC; month: the brand's, `2026-11`.

    first_item, pieces: the name of its first line and how many pieces it has in all.
    """

    customer_id: int
    order_id: str
    paid_at: datetime
    month: str
    total_fen: int
    points_used: int
    first_item: str
    pieces: int

    @property
    def moment(self) -> datetime:
        return self.paid_at


@dataclass(frozen=True, kw_only=True)
class OrderRefunded(Event, name="order.refunded"):
    """A part of an order was given back, once, at `refunded_at`.

    account_id: the customer the order was posted to (C2: before merges). paid_at, month: the order's, whose
    month the refund belongs to however late it is (P2). refunded_fen: over all refunds of the order so far.
    """

    customer_id: int
    account_id: int
    order_id: str
    refund_id: str
    refunded_at: datetime
    paid_at: datetime
    month: str
    amount_fen: int
    refunded_fen: int
    total_fen: int

    @property
    def moment(self) -> datetime:
        return self.refunded_at
