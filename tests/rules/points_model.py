"""One customer's points in memory, as P1 and P2 tell them: what the ledger in PostgreSQL must agree with."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from fractions import Fraction
from math import floor
from zoneinfo import ZoneInfo

SHANGHAI = ZoneInfo("Asia/Shanghai")


def rate(net_fen: int) -> Fraction:
    """P2: from ¥100: 1 %, from ¥300: 1.5 %, from ¥500: 2 %, below: 0."""
    yuan = Fraction(net_fen, 100)
    return Fraction(2, 100) if yuan >= 500 else Fraction(3, 200) if yuan >= 300 else Fraction(yuan >= 100) / 100


def end_of(earned_at: datetime) -> datetime:
    """P1: 00:00 local on the 1st of the 13th month after."""
    local = earned_at.astimezone(SHANGHAI)
    years, month = divmod(local.month - 1 + 13, 12)
    return datetime(local.year + years, month + 1, 1, tzinfo=SHANGHAI)


@dataclass(eq=False)
class Lot:
    order: str | None
    ends: datetime
    left: int
    held: int = 0

    @property
    def free(self) -> int:
        return self.left - self.held


@dataclass(eq=False)
class Order:
    month: str
    day: str
    total: int
    available: datetime
    ends: datetime
    times: Fraction
    refunded: int = 0
    bonus: int = 0
    pending: int = 0
    used: list[tuple[Lot, int]] = field(default_factory=list)
    back: int = 0

    @property
    def net(self) -> int:
        return self.total - self.refunded


@dataclass(eq=False)
class Hold:
    until: datetime
    parts: list[tuple[Lot, int]]


class TooFew(Exception):
    """She has too few points to spend."""


class Customer:
    """Her orders, lots, debt and holds. Every change brings her up to `now` first, each moment in its turn."""

    def __init__(self, pending_days: int) -> None:
        self.pending_days = pending_days
        self.orders: dict[str, Order] = {}
        self.lots: list[Lot] = []
        self.holds: dict[str, Hold] = {}
        self.debt = 0

    @property
    def balance(self) -> int:
        return sum(lot.left for lot in self.lots)

    @property
    def spendable(self) -> int:
        return sum(lot.free for lot in self.lots)

    @property
    def pending(self) -> int:
        return sum(order.pending for order in self.orders.values())

    def net(self, month: str) -> int:
        return sum(order.net for order in self.orders.values() if order.month == month)

    def base(self, month: str) -> int:
        return floor(self.net(month) * rate(self.net(month)))

    def live(self, now: datetime) -> None:
        """Let everything happen that became due until now."""
        moments = [hold.until for hold in self.holds.values()]
        moments += [order.available for order in self.orders.values() if order.pending]
        for moment in sorted({one for one in moments if one <= now}):
            self._expire(moment)
            for order_id in [name for name, hold in self.holds.items() if hold.until == moment]:
                self.release(order_id)
            for name, order in self.orders.items():
                if order.pending and order.available == moment:
                    points, order.pending = order.pending, 0
                    self._credit(points, name, order.ends)
        self._expire(now)

    def place(self, order_id: str, paid_at: datetime, fen: int, used: int, times: Fraction, now: datetime) -> None:
        if used > self.spendable:
            raise TooFew
        local = paid_at.astimezone(SHANGHAI)
        available = paid_at + timedelta(days=self.pending_days)
        order = Order(f"{local:%Y-%m}", f"{local:%Y-%m-%d}", fen, available, end_of(paid_at), times)
        order.used = self._take(used, self._open())
        before = self.base(order.month)
        self.orders[order_id] = order
        self._change(order_id, self.base(order.month) - before, now)
        self._bonuses(order.month, now)
        self._expire(now)

    def refund(self, order_id: str, fen: int, now: datetime) -> None:
        order = self.orders[order_id]
        before = self.base(order.month)
        order.refunded += fen
        self._give_back(order_id, now)
        self._change(order_id, self.base(order.month) - before, now)
        self._bonuses(order.month, now)
        self._expire(now)

    def adjust(self, points: int, now: datetime) -> None:
        if points > 0:
            self._credit(points, None, end_of(now))
        elif -points > self.spendable:
            raise TooFew
        else:
            self._take(-points, self._open())

    def hold(self, order_id: str, points: int, until: datetime) -> None:
        parts = self._plan(points, self._open())
        for lot, part in parts:
            lot.held += part
        self.holds[order_id] = Hold(min([until, *(lot.ends for lot, _ in parts)]), parts)

    def release(self, order_id: str) -> None:
        for lot, part in self.holds.pop(order_id).parts:
            lot.held -= part
        self._settle()

    def commit(self, order_id: str, points: int) -> None:
        parts = self.holds.pop(order_id).parts
        for lot, part in parts:
            lot.held -= part
        self._take(points, sorted((lot for lot, _ in parts), key=self._first))
        self._settle()

    def _change(self, order_id: str, points: int, now: datetime) -> None:
        """P1: earnings pay debts first; a refund takes pending, the order's own lots, others, then makes a debt."""
        order = self.orders[order_id]
        if points > 0 and order.available > now:
            order.pending += points
        elif points > 0:
            self._credit(points, order_id, order.ends)
        else:
            from_pending = min(-points, order.pending)
            order.pending -= from_pending
            left = -points - from_pending
            own_first = sorted(self._open(), key=lambda lot: lot.order != order_id)
            left -= sum(part for _, part in self._take(left, own_first))
            self.debt += left

    def _bonuses(self, month: str, now: datetime) -> None:
        """P2: floor(order's net x month's rate x (multiplier - 1)), recomputed like the base."""
        of_month = [(order.day, name, order) for name, order in self.orders.items() if order.month == month]
        for _, name, order in sorted(of_month, key=lambda one: one[:2]):
            bonus = floor(order.net * rate(self.net(month)) * (order.times - 1))
            change, order.bonus = bonus - order.bonus, bonus
            self._change(name, change, now)

    def _give_back(self, order_id: str, now: datetime) -> None:
        """P1: to their own lots with their own end, 7 days' grace where it has passed; the last taken goes first."""
        order = self.orders[order_id]
        whole = sum(part for _, part in order.used)
        due = whole if order.net == 0 else floor(whole * Fraction(order.refunded, order.total))
        points = [lot for lot, part in order.used for _ in range(part)][: whole - order.back]
        back, order.back = due - order.back, due
        for lot in reversed(points[len(points) - back :]):
            if lot.ends > now:
                lot.left += 1
            else:
                self._lot(1, lot.order, now + timedelta(days=7))
        self._settle()

    def _credit(self, points: int, order_id: str | None, ends: datetime) -> None:
        paid = min(points, self.debt)
        self.debt -= paid
        if points > paid:
            self._lot(points - paid, order_id, ends)

    def _lot(self, points: int, order_id: str | None, ends: datetime) -> None:
        self.lots.append(Lot(order_id, ends, points))

    def _settle(self) -> None:
        self.debt -= sum(part for _, part in self._take(min(self.debt, self.spendable), self._open()))

    def _expire(self, now: datetime) -> None:
        for lot in self.lots:
            if lot.ends <= now:
                lot.left = lot.held

    def _open(self) -> list[Lot]:
        return sorted((lot for lot in self.lots if lot.free > 0), key=self._first)

    def _first(self, lot: Lot) -> tuple[datetime, int]:
        return lot.ends, self.lots.index(lot)

    def _plan(self, points: int, lots: Iterable[Lot]) -> list[tuple[Lot, int]]:
        parts = []
        for lot in lots:
            if (part := min(points, lot.free)) > 0:
                parts.append((lot, part))
                points -= part
        return parts

    def _take(self, points: int, lots: Iterable[Lot]) -> list[tuple[Lot, int]]:
        parts = self._plan(points, lots)
        for lot, part in parts:
            lot.left -= part
        return parts
