"""The doors others read points through: her statement, her balance, what ends next, the lines of her ledger.

All speak of a person: her account and those of the customers merged into her. What the clock has made due is booked
first (`due`), so that balance, lots and ledger always agree.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import BigInteger, Select, cast, func, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import installation_of
from bot.web import cursors
from handlers.points import due, preferences, rules
from handlers.points.models import Account, Entry, LotRow, Month, Transaction
from tags.people import service as people


@dataclass(frozen=True)
class Ending:
    """Points that end together at `expires_at` (exclusive, aware UTC)."""

    points: int
    expires_at: datetime


@dataclass(frozen=True)
class MonthStatement:
    """A calendar month of the account her next order goes to (P2). rate: a fraction, 0.015 is 1.5 %."""

    month: str
    net_spend_fen: int
    rate: Decimal
    base_points: int


@dataclass(frozen=True)
class Statement:
    """balance: the sum of `lots`; spendable is balance - held; the ledger's sum is balance - debt; all in points."""

    balance: int
    held: int
    pending: int
    debt: int
    lots: tuple[Ending, ...]
    month: MonthStatement

    @property
    def endings(self) -> list[Ending]:
        """What ends when, soonest first, lots with the same end together."""
        together: dict[datetime, int] = {}
        for lot in self.lots:
            together[lot.expires_at] = together.get(lot.expires_at, 0) + lot.points
        return [Ending(points, expires_at) for expires_at, points in together.items()]


@dataclass(frozen=True)
class LedgerLine:
    """A line as she sees it: what it changed in balance - debt, and that sum after it."""

    id: int
    at: datetime
    points: int
    kind: str
    cause: str
    facts: Mapping[str, Any]
    balance_after: int


def statement(session: Session, customer_id: int, month: str | None = None) -> Statement:
    """Her points now, and a calendar month (`2026-11`, local; default: this one). Raises NotFound."""
    family = people.family(session, customer_id)
    accounts = _accounts(session, family)
    query = select(LotRow.remaining, LotRow.expires_at).where(
        LotRow.customer_id.in_([one.customer_id for one in accounts]), LotRow.remaining > 0
    )
    lots = session.execute(query.order_by(LotRow.expires_at, LotRow.id))
    return Statement(
        balance=sum(one.balance for one in accounts),
        held=sum(one.held for one in accounts),
        pending=sum(one.pending for one in accounts),
        debt=sum(one.debt for one in accounts),
        lots=tuple(Ending(points, expires_at) for points, expires_at in lots),
        month=_month(session, family[0], month),
    )


def balance(session: Session, customer_id: int) -> int:
    """Her points now, those held for orders included. Raises NotFound."""
    return sum(one.balance for one in _accounts(session, people.family(session, customer_id)))


def balances(session: Session, customer_ids: Sequence[int]) -> dict[int, int]:
    """The points of many survivors for a list, in one query; what ended since the last sweep does not count."""
    of_accounts = select(Account.owner_id, func.sum(LotRow.remaining)).join(
        LotRow, LotRow.customer_id == Account.customer_id
    )
    open_lots = of_accounts.where(
        Account.owner_id.in_(customer_ids), LotRow.remaining > 0, LotRow.expires_at > clock.now()
    )
    found = {owner: int(points) for owner, points in session.execute(open_lots.group_by(Account.owner_id))}
    return {one: found.get(one, 0) for one in customer_ids}


def steps(session: Session, customer_id: int) -> tuple[rules.Step, ...]:
    """The earning steps of her calendar month now: those it began with, or today's. Raises NotFound."""
    survivor = people.survivor(session, customer_id)
    month = clock.month_of(clock.now(), installation_of(session).settings.timezone)
    begun = select(Month.steps_id).where(Month.customer_id == survivor, Month.month == month)
    steps_id = session.scalar(begun)
    return preferences.steps_of(session, steps_id) if steps_id else preferences.steps_in_force(session)[1]


def ledger(
    session: Session, customer_id: int, *, limit: int, cursor: str | None = None
) -> tuple[list[LedgerLine], str | None]:
    """A page of her ledger, oldest first, and the cursor of the next one. Raises NotFound, Unacceptable (cursor)."""
    family = people.family(session, customer_id)
    _accounts(session, family)
    lines = _lines(family)
    rows, following = cursors.page(session, select(lines), [lines.c.id], limit, cursor)
    return [LedgerLine(*row) for row in rows], following


def line_of(session: Session, customer_id: int, transaction_id: int) -> LedgerLine:
    """One line of her ledger."""
    lines = _lines(people.family(session, customer_id))
    return LedgerLine(*session.execute(select(lines).where(lines.c.id == transaction_id)).one())


def _lines(family: Sequence[int]) -> Any:
    """Lines that changed balance - debt, with the running sum; what only moved between her own accounts is none."""
    effects = (
        select(Entry.transaction_id, cast(func.sum(Entry.points), BigInteger).label("points"))
        .where(Entry.customer_id.in_(family), Entry.account.in_(("lot", "debt")))
        .group_by(Entry.transaction_id)
        .having(func.sum(Entry.points) != 0)
        .subquery()
    )
    columns = (Transaction.id, Transaction.at, effects.c.points, Transaction.kind, Transaction.cause, Transaction.facts)
    after = cast(func.sum(effects.c.points).over(order_by=Transaction.id), BigInteger).label("balance_after")
    joined: Select[Any] = select(*columns, after).join(effects, effects.c.transaction_id == Transaction.id)
    return joined.subquery()


def of_order(session: Session, order_id: str) -> dict[str, int]:
    """What posting an order changed: its month's `base` points and, by multipliers, `bonus` points (P2)."""
    query = select(Transaction.facts, -Entry.points).join(
        Entry, (Entry.transaction_id == Transaction.id) & (Entry.customer_id == Transaction.customer_id)
    )
    found = {"base": 0, "bonus": 0}
    for facts, points in session.execute(
        query.where(Transaction.cause == f"order:{order_id}", Entry.account == "issued")
    ):
        found["bonus" if "multiplier_bp" in facts else "base"] += points
    return found


def _accounts(session: Session, family: Sequence[int]) -> Sequence[Account]:
    """The accounts of a family, brought up to now."""
    query = select(Account).where(Account.customer_id.in_(family)).execution_options(populate_existing=True)
    accounts = session.scalars(query).all()
    if any(one.due_at is not None and one.due_at <= clock.now() for one in accounts):
        with due.opened(session, family[:1]):
            pass
        return session.scalars(query).all()
    return accounts


def _month(session: Session, customer_id: int, month: str | None) -> MonthStatement:
    wanted = month or clock.month_of(clock.now(), installation_of(session).settings.timezone)
    columns = select(Month.net_fen, Month.base, Month.steps_id)
    found = session.execute(columns.where(Month.customer_id == customer_id, Month.month == wanted)).first()
    if found is None:
        return MonthStatement(wanted, 0, Decimal(0), 0)
    rate_bp = rules.rate_bp(found.net_fen, preferences.steps_of(session, found.steps_id))
    return MonthStatement(wanted, found.net_fen, Decimal(rate_bp) / rules.WHOLE_BP, found.base)
