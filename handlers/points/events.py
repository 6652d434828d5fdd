"""What points announce."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class PointsEarned(Event, name="points.earned"):
    """An order earned points: base and bonus with the differences on the month's earlier orders (P2).

    pending: whether they can be spent only later.
    """

    order_id: str
    points: int
    base: int
    bonus: int
    pending: bool


@dataclass(frozen=True, kw_only=True)
class PointsTakenBack(Event, name="points.taken_back"):
    """A refund took back what its order had earned; `debt` of it she no longer had."""

    order_id: str
    points: int
    debt: int


@dataclass(frozen=True, kw_only=True)
class PointsSpent(Event, name="points.spent"):
    """She spent points, on an order or on what `why` says."""

    order_id: str | None
    points: int


@dataclass(frozen=True, kw_only=True)
class PointsReturned(Event, name="points.returned"):
    """A refund gave back points its order was paid with."""

    order_id: str
    points: int


@dataclass(frozen=True, kw_only=True)
class PointsExpired(Event, name="points.expired"):
    """Lots ended with points left."""

    points: int


@dataclass(frozen=True, kw_only=True)
class PointsAdjusted(Event, name="points.adjusted"):
    """Somebody gave (positive) or took points, for a reason."""

    points: int
    reason: str
