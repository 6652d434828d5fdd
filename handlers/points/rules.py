"""The arithmetic of points (P1, P2). Pure: fen, points, basis points (1 % is 100), dates in; integers, dates out."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Protocol, TypeVar

WHOLE_BP = 10_000


@dataclass(frozen=True)
class Step:
    """From a month's net spend of `from_fen` on, the whole month earns `rate_bp` basis points."""

    from_fen: int
    rate_bp: int


def rate_bp(net_fen: int, steps: Sequence[Step]) -> int:
    """The rate a calendar month's net spend reaches (P2). `steps` rise by `from_fen`; below the first one it is 0."""
    return next((step.rate_bp for step in reversed(steps) if net_fen >= step.from_fen), 0)


def base_points(net_fen: int, steps: Sequence[Step]) -> int:
    """Points a calendar month's net spend earns before multipliers (P2): floor(net x rate).

    net_fen: paid minus refunded; 1 point is worth 1 fen (G1). Raises ValueError if it is negative.
    """
    if net_fen < 0:
        raise ValueError(f"net_fen is {net_fen}, expected 0 or more")
    return net_fen * rate_bp(net_fen, steps) // WHOLE_BP


def bonus_points(net_fen: int, rate_bp: int, multiplier_bp: int) -> int:
    """Points a multiplier adds to one order (P2): floor(order's net fen x month's rate x (multiplier - 1))."""
    return net_fen * rate_bp * (multiplier_bp - WHOLE_BP) // (WHOLE_BP * WHOLE_BP)


@dataclass(frozen=True)
class Claim:
    """What one multiplier should add to one order now (`due`), what it has added so far, and the order's local day."""

    due: int
    granted: int
    day: date


def within_caps(claims: Sequence[Claim], per_day: int | None, per_month: int | None) -> list[int]:
    """What each claim of a month gets, in their order: what is due, a rise cut to what the caps leave (P1).

    Falls come first and make room. A cap never takes back what was granted before it was lowered.
    """
    got = [min(claim.due, claim.granted) for claim in claims]
    of_day: Counter[date] = Counter()
    for claim, points in zip(claims, got, strict=True):
        of_day[claim.day] += points
    for at, claim in enumerate(claims):
        room = [claim.due - got[at]]
        if per_day is not None:
            room.append(per_day - of_day[claim.day])
        if per_month is not None:
            room.append(per_month - sum(got))
        rise = max(0, min(room))
        got[at] += rise
        of_day[claim.day] += rise
    return got


def add_months(day: date, months: int) -> date:
    """`months` calendar months later, clamped to the month's last day: 31 January + 1 is 28 or 29 February (P1)."""
    index = day.year * 12 + day.month - 1 + months
    first = date(index // 12, index % 12 + 1, 1)
    last = date((index + 1) // 12, (index + 1) % 12 + 1, 1) - timedelta(days=1)
    return first.replace(day=min(day.day, last.day))


def lot_end(earned_at: datetime, months: int, whole_month: bool, zone: tzinfo) -> datetime:
    """When points earned at that moment end: the first moment they can't be spent any more, 00:00 local (P1, G2).

    They last through the day `months` later, or with `whole_month` through the end of that day's month: 12 months is
    the 1st of the 13th month after.
    """
    return _end(earned_at.astimezone(zone).date(), months, whole_month, zone)


@lru_cache
def _end(day: date, months: int, whole_month: bool, zone: tzinfo) -> datetime:
    last = add_months(day, months)
    end = add_months(last.replace(day=1), 1) if whole_month else last + timedelta(days=1)
    return datetime.combine(end, time(), zone)


def returned(points_used: int, refunded_fen: int, total_fen: int) -> int:
    """Of the points an order was paid with, how many are given back after `refunded_fen` of `total_fen`: its share.

    Rounded down; the whole once everything is refunded.
    """
    return points_used if refunded_fen >= total_fen else points_used * refunded_fen // total_fen


class Lot(Protocol):
    """Points that end together; `free` is what is left of them and not held."""

    @property
    def free(self) -> int: ...


AnyLot = TypeVar("AnyLot", bound=Lot)


def take(points: int, lots: Sequence[AnyLot]) -> list[tuple[AnyLot, int]]:
    """How many points come from which lot, taken in the order given; less than `points` in sum where there are less."""
    taken: list[tuple[AnyLot, int]] = []
    for lot in lots:
        part = min(points, lot.free)
        if part > 0:
            taken.append((lot, part))
            points -= part
    return taken


Place = TypeVar("Place")


def give_back(taken: Sequence[tuple[Place, int]], before: int, points: int) -> list[tuple[Place, int]]:
    """Where `points` go back to, of those `taken` in this order, of which `before` went back already.

    The last taken goes back first, so that what stays spent is what a smaller spend would have taken.
    """
    parts: list[tuple[Place, int]] = []
    for place, part in reversed(taken):
        skipped = min(before, part)
        before -= skipped
        back = min(points, part - skipped)
        if back > 0:
            parts.append((place, back))
            points -= back
    return parts
