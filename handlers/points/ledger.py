"""The books of some customers, open for one booking: locked, planned in memory, stored at the end by one statement.

    with due.opened(session, [customer_id]) as books:
        line = books.line(customer_id, "adjust", reason="…")
        books.grant(line, customer_id, 100, ends_at=…)

Opening locks the accounts of the customers and of their families (all accounts one owner has after merges), sorted.
Closing stores lines, entries, lots and kept sums together, for one order or for hundreds.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.core.events import Event
from bot.core.sets import run_all
from handlers.points import rules, store
from handlers.points.planned import Account, Line, Lot

ISSUER = {
    "earn": "issued", "bonus": "issued", "claw_back": "issued", "adjust": "adjusted", "spend": "spent",
    "give_back": "spent", "expire": "expired",
}  # fmt: skip
WITHIN = ("activate", "settle", "part")  # between her own accounts; `part` between two who were one
KINDS = (*ISSUER, *WITHIN)


class Books:
    """Locked accounts and what is being booked into them. Made by `due.opened`."""

    def __init__(
        self, session: Session, accounts: Iterable[Account], told: Sequence[list[Any]], now: datetime
    ) -> None:  # fmt: skip
        self.session, self.now = session, now  # `due` sets it to the moment of what it books
        self.accounts = {account.customer_id: account for account in accounts}
        self._families: defaultdict[int, list[Account]] = defaultdict(list)
        for account in self.accounts.values():
            self._families[account.owner_id].append(account)
        self.told = told  # the answers of what was asked when the books were opened
        self.lines: list[Line] = []
        self.rows: dict[str, list[dict[str, Any]]] = defaultdict(list)  # further rows of `store.PARTS`
        self.facts: list[Event] = []  # announced once all is stored
        self._lots: dict[int, Lot] = {}
        self._fresh: list[Lot] = []
        self._of_owner: defaultdict[int, list[Lot]] = defaultdict(list)
        self._taken: dict[int, int] = defaultdict(int)

    @property
    def owners(self) -> list[int]:
        """Whose accounts these are."""
        return sorted(self._families)

    def late(self) -> set[int]:
        """The owners to whom time has brought something that is not booked yet."""
        return {one.owner_id for one in self.accounts.values() if one.due_at is not None and one.due_at <= self.now}

    def owner_of(self, customer_id: int) -> int:
        """Who owns this customer's account."""
        return self.accounts[customer_id].owner_id

    def family(self, owner_id: int) -> list[Account]:
        """All accounts of one owner, by customer id."""
        return self._families[owner_id]

    def sum_of(self, owner_id: int, name: str) -> int:
        """`balance`, `held`, `debt` or `pending` over all accounts of one owner, in points."""
        return sum(getattr(account, name) for account in self.family(owner_id))

    def spendable(self, owner_id: int) -> int:
        """What she can spend now: balance without what is held (P1)."""
        return self.sum_of(owner_id, "balance") - self.sum_of(owner_id, "held")

    def line(self, customer_id: int, kind: str, *, order_id: str | None = None, cause: str = "", **facts: Any) -> Line:
        """Begin a line of `kind` for a customer."""
        made = Line(self.now, customer_id, kind, order_id, cause, facts)
        self.lines.append(made)
        return made

    def grant(self, line: Line, points: int, ends_at: datetime) -> None:
        """Give the line's customer `points`: her debts are paid first, only the rest becomes a lot (P1)."""
        account = self.accounts[line.customer_id]
        for debtor in sorted(self.family(account.owner_id), key=lambda one: one is not account):
            paid = min(points, debtor.debt)
            debtor.debt -= paid
            points -= paid
            line.move("debt", debtor.customer_id, paid)
        if points:
            self.put(line, self.fresh_lot(account.customer_id, line.order_id, ends_at), points)

    def fresh_lot(self, customer_id: int, order_id: str | None, ends_at: datetime) -> Lot:
        """An empty new lot."""
        lot = Lot(None, customer_id, order_id, ends_at, 0, 0)
        self._fresh.append(lot)
        self._of_owner[self.owner_of(customer_id)].append(lot)
        return lot

    def put(self, line: Line, lot: Lot, points: int) -> None:
        """Put points into a lot, or with a negative number take them out."""
        lot.remaining += points
        if lot.id is None:
            lot.points = max(lot.points, lot.remaining)
        account = self.accounts[lot.customer_id]
        account.balance += points
        account.wake_at(lot.expires_at)  # an empty lot that is filled again ends like any other
        line.move("lot", lot.customer_id, points, lot)

    def take(self, line: Line, points: int, *, owner_id: int, own: str | None = None) -> int:
        """Take free points from an owner's lots, those of order `own` first, then first-expiring-first.

        The lots must be loaded (`load_lots`). Returns how many were found.
        """
        taken = rules.take(points, self.open_lots(owner_id, own))
        for lot, part in taken:
            self.put(line, lot, -part)
        found = sum(part for _, part in taken)
        self._taken[owner_id] += found
        return found

    def owe(self, line: Line, points: int) -> None:
        """Note what the line's customer could not give back as her debt (P1)."""
        self.accounts[line.customer_id].debt += points
        line.move("debt", line.customer_id, -points)

    def pend(self, line: Line, points: int, available_at: datetime) -> None:
        """Move points into the line's customer's pending ones, or with a negative number out of them."""
        account = self.accounts[line.customer_id]
        account.pending += points
        account.wake_at(available_at)
        line.move("pending", account.customer_id, points)

    def hold(self, lot: Lot, points: int) -> None:
        """Keep points of a lot for an order, or with a negative number let go of them."""
        lot.held += points
        self.accounts[lot.customer_id].held += points

    def ended_lots(self, owner_id: int) -> list[Lot]:
        """The loaded and new lots of an owner that have ended and still have free points."""
        return [lot for lot in self._of_owner[owner_id] if lot.expires_at <= self.now and lot.free > 0]

    def open_lots(self, owner_id: int, own: str | None = None) -> list[Lot]:
        """The loaded lots of an owner that have free points: those of order `own`, then first-expiring-first."""
        hers = [lot for lot in self._of_owner[owner_id] if lot.free > 0 and lot.expires_at > self.now]
        own_first = own or ""
        hers.sort(key=lambda lot: (lot.order_id != own_first, lot.expires_at, lot.customer_id != owner_id, lot.number))
        return hers

    def load_lots(self, needs: Mapping[int, int], orders: Iterable[str] = ()) -> None:
        """Read the lots that cover `needs` (owner: points), first-expiring-first, and all of these orders' lots."""
        wanted = {owner: points + self._taken[owner] for owner, points in needs.items() if points > 0}
        if wanted:
            [found] = run_all(self.session, store.lots(self.now, wanted, orders))
            self.know(Lot(*row) for row in found)

    def know(self, lots: Iterable[Lot]) -> list[Lot]:
        """Take in lots that were read under the lock; one that is known already keeps what was planned for it."""
        known = []
        for lot in lots:
            assert lot.id is not None  # it was read
            if lot.id not in self._lots:
                self._lots[lot.id] = lot
                self._of_owner[self.owner_of(lot.customer_id)].append(lot)
            known.append(self._lots[lot.id])
        return known

    def settle(self, owner_id: int) -> None:
        """Pay an owner's debts from her free points, as far as they go."""
        debt = min(self.sum_of(owner_id, "debt"), self.spendable(owner_id))
        if debt <= 0:
            return
        self.load_lots({owner_id: debt})
        line = self.line(owner_id, "settle")
        paid = self.take(line, debt, owner_id=owner_id)
        for debtor in self.family(owner_id):
            part = min(paid, debtor.debt)
            debtor.debt -= part
            paid -= part
            line.move("debt", debtor.customer_id, part)

    def close(self) -> None:
        """Balance each line with the issuer's side, store everything and announce the facts."""
        self.lines = [line for line in self.lines if line.entries]
        for line in self.lines:
            if line.kind in ISSUER:
                line.move(ISSUER[line.kind], line.customer_id, -sum(points for *_, points in line.entries))
        booked = {customer_id for line in self.lines for _, customer_id, *_ in line.entries}
        store.write(
            self.session,
            accounts=[one for one in self.accounts.values() if one.customer_id in booked or one.before != one.sums],
            lots=[
                *(lot for lot in self._lots.values() if lot.before != (lot.remaining, lot.held)),
                *(lot for lot in self._fresh if lot.points),
            ],
            lines=self.lines,
            facts=self.facts,
            further=self.rows,
        )
