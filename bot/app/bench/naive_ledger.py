"""Frozen: a points ledger as the ORM's documentation would have one write it, keeping the same records as ours.

Never tuned. One session an order: the account locked, the month's orders and lines loaded and summed, rows added one by
one, one commit.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, Engine, ForeignKey, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

RATES = ((50_000, 200), (30_000, 150), (10_000, 100))


class Base(DeclarativeBase):
    """The naive tables."""


class NaiveAccount(Base):
    """A customer's balance."""

    __tablename__ = "naive_accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[int]


class NaiveOrder(Base):
    """An order that was posted."""

    __tablename__ = "naive_orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("naive_accounts.id"), index=True)
    month: Mapped[str]
    fen: Mapped[int]


class NaiveTransaction(Base):
    """A line of the ledger."""

    __tablename__ = "naive_transactions"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    account_id: Mapped[int] = mapped_column(ForeignKey("naive_accounts.id"), index=True)
    kind: Mapped[str]
    month: Mapped[str]
    points: Mapped[int]


class NaiveEntry(Base):
    """A leg of a line."""

    __tablename__ = "naive_entries"
    id: Mapped[int] = mapped_column(primary_key=True)
    transaction_id: Mapped[int] = mapped_column(ForeignKey("naive_transactions.id"), index=True)
    account: Mapped[str]
    points: Mapped[int]


class NaiveLot(Base):
    """Points that end together."""

    __tablename__ = "naive_lots"
    id: Mapped[int] = mapped_column(primary_key=True)
    account_id: Mapped[int] = mapped_column(ForeignKey("naive_accounts.id"), index=True)
    expires: Mapped[str]
    points: Mapped[int]
    remaining: Mapped[int]


class NaiveEvent(Base):
    """What happened."""

    __tablename__ = "naive_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime]
    name: Mapped[str]
    account_id: Mapped[int] = mapped_column(index=True)
    data: Mapped[Any] = mapped_column(JSON)


def post(engine: Engine, order_id: str, account_id: int, month: str, fen: int, now: datetime) -> None:
    """Post one order and commit."""
    with Session(engine) as session, session.begin():
        if session.get(NaiveOrder, order_id):
            return
        account = session.get_one(NaiveAccount, account_id, with_for_update=True)
        session.add(NaiveOrder(id=order_id, account_id=account_id, month=month, fen=fen))
        session.flush()
        of_month = select(NaiveOrder).where(NaiveOrder.account_id == account_id, NaiveOrder.month == month)
        spend = sum(order.fen for order in session.scalars(of_month))
        earned = select(NaiveTransaction).where(
            NaiveTransaction.account_id == account_id, NaiveTransaction.month == month, NaiveTransaction.kind == "earn"
        )
        points = due(spend) - sum(line.points for line in session.scalars(earned))
        if points:
            _book(session, account, "earn", month, points, now)
            session.add(NaiveLot(account_id=account_id, expires=f"end of {month}", points=points, remaining=points))
            session.add(NaiveEvent(at=now, name="earned", account_id=account_id, data={"points": points}))


def spend(engine: Engine, account_id: int, points: int, now: datetime) -> bool:
    """Spend points first-expiring-first and commit; False where she has too few."""
    with Session(engine) as session, session.begin():
        account = session.get_one(NaiveAccount, account_id, with_for_update=True)
        open_lots = select(NaiveLot).where(NaiveLot.account_id == account_id, NaiveLot.remaining > 0)
        lots = session.scalars(open_lots.order_by(NaiveLot.expires, NaiveLot.id).with_for_update()).all()
        if sum(lot.remaining for lot in lots) < points:
            return False
        need = points
        for lot in lots:
            taken = min(need, lot.remaining)
            lot.remaining -= taken
            need -= taken
            if not need:
                break
        _book(session, account, "spend", "", -points, now)
        session.add(NaiveEvent(at=now, name="spent", account_id=account_id, data={"points": points}))
        return True


def stock(engine: Engine, lots: int, points: int, now: datetime) -> int:
    """A new account with this many lots of so many points each; its id."""
    with Session(engine) as session, session.begin():
        account = NaiveAccount(balance=0)
        session.add(account)
        session.flush()
        for n in range(lots):
            _book(session, account, "earn", "", points, now)
            session.add(NaiveLot(account_id=account.id, expires=f"{n:04}", points=points, remaining=points))
        return account.id


def due(spend_fen: int) -> int:
    """Points of a month's spend (P2)."""
    return next((spend_fen * rate // 10_000 for from_fen, rate in RATES if spend_fen >= from_fen), 0)


def sums(engine: Engine) -> tuple[int, int, int, bool]:
    """Balances, open lots, hers in the entries, and whether every month has what the rule says."""
    with Session(engine) as session:
        balances = session.scalar(select(func.sum(NaiveAccount.balance))) or 0
        lots = session.scalar(select(func.sum(NaiveLot.remaining))) or 0
        entries = session.scalar(select(func.sum(NaiveEntry.points)).where(NaiveEntry.account == "customer")) or 0
        fen: dict[tuple[int, str], int] = {}
        for order in session.scalars(select(NaiveOrder)):
            fen[order.account_id, order.month] = fen.get((order.account_id, order.month), 0) + order.fen
        points: dict[tuple[int, str], int] = {}
        for line in session.scalars(select(NaiveTransaction).where(NaiveTransaction.kind == "earn")):
            points[line.account_id, line.month] = points.get((line.account_id, line.month), 0) + line.points
    right = all(points.get(month, 0) == due(spend) for month, spend in fen.items())
    return int(balances), int(lots), int(entries), right


def _book(session: Session, account: NaiveAccount, kind: str, month: str, points: int, now: datetime) -> None:
    line = NaiveTransaction(at=now, account_id=account.id, kind=kind, month=month, points=points)
    session.add(line)
    session.flush()
    session.add(NaiveEntry(transaction_id=line.id, account="customer", points=points))
    session.add(NaiveEntry(transaction_id=line.id, account="issuer", points=-points))
    account.balance += points
