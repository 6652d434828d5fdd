"""What a booking plans in memory, as it will be stored: accounts, lots, lines, orders and months."""

import math
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from handlers.points import rules


@dataclass(eq=False)
class Account:
    """An account's sums, in points. due_at: None where nothing happens by the clock."""

    customer_id: int
    owner_id: int
    balance: int
    held: int
    debt: int
    pending: int
    due_at: datetime | None
    before: tuple[int, int, int, int] = (0, 0, 0, 0)

    def __post_init__(self) -> None:
        self.before = self.sums

    @property
    def sums(self) -> tuple[int, int, int, int]:
        """balance, held, debt, pending."""
        return self.balance, self.held, self.debt, self.pending

    def wake_at(self, at: datetime) -> None:
        """Something happens by the clock at `at`."""
        self.due_at = min(at, self.due_at or at)


@dataclass(eq=False)
class Lot:
    """Points that end together; `id` is None for a new lot."""

    id: int | None
    customer_id: int
    order_id: str | None
    expires_at: datetime
    points: int
    remaining: int
    held: int = 0
    before: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.before = self.remaining, self.held

    @property
    def free(self) -> int:
        """What can be spent of it."""
        return self.remaining - self.held

    @property
    def number(self) -> float:
        """Its place among lots with the same end: by id, new ones last."""
        return self.id if self.id is not None else math.inf


@dataclass(eq=False)
class Line:
    """A transaction as of `at`, and its entries: (account, customer, lot or None, points).

    numbered: whether its id is wanted once it is stored.
    """

    at: datetime
    customer_id: int
    kind: str
    order_id: str | None
    cause: str
    facts: dict[str, Any]
    entries: list[tuple[str, int, Lot | None, int]] = field(default_factory=list)
    numbered: bool = False
    id: int | None = None

    def move(self, account: str, customer_id: int, points: int, lot: Lot | None = None) -> None:
        """Let `account` gain `points` (negative: lose them)."""
        if points:
            self.entries.append((account, customer_id, lot, points))


@dataclass(eq=False)
class Order:
    """An order in the ledger: its net, its pending points, and from when until when its points can be spent."""

    order_id: str
    customer_id: int
    month: str
    net_fen: int
    pending: int
    available_at: datetime
    ends_at: datetime


@dataclass(eq=False)
class Month:
    """A month account. steps: the earning rates it began with; base: points granted for it; multiplied: any bonuses."""

    customer_id: int
    month: str
    steps_id: int
    steps: tuple[rules.Step, ...]
    net_fen: int = 0
    base: int = 0
    multiplied: bool = False

    @property
    def facts(self) -> dict[str, Any]:
        """What a line's reason is told from."""
        return {"month": self.month, "net_fen": self.net_fen, "rate_bp": self.rate_bp}

    @property
    def rate_bp(self) -> int:
        """The rate the month has reached."""
        return rules.rate_bp(self.net_fen, self.steps)


@dataclass(frozen=True)
class Change:
    """Points an order gains or gives up. kind: earn or bonus; cause: what made it so."""

    kind: str
    order: Order
    points: int
    cause: str
    facts: dict[str, Any]
