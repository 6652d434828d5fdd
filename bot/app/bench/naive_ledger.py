"""Frozen: a points ledger as the ORM's documentation would have one write it, keeping the same records as ours.

Never tuned. One session an order on an engine of its own: the account locked, the month's orders and lines loaded and
summed, rows added one by one, one commit. The same rules as ours: an order posted or paid once, debts paid first, ended
lots left alone, first-expiring-first; without what no bench asks for (refunds, holds, pending points, families).
"""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, DateTime, Engine, ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

ACTOR = "bench"
RATES = ((50_000, 200), (30_000, 150), (10_000, 100))


class Base(DeclarativeBase):
    """The naive tables."""


class NaiveAccount(Base):
    """A customer's balance."""

    __tablename__ = "naive_accounts"
    id: Mapped[int] = mapped_column(primary_key=True)
    balance: Mapped[int] = mapped_column(default=0)
    debt: Mapped[int] = mapped_column(default=0)


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
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    account_id: Mapped[int] = mapped_column(ForeignKey("naive_accounts.id"), index=True)
    kind: Mapped[str]
    month: Mapped[str]
    points: Mapped[int]
    order_id: Mapped[str | None] = mapped_column(index=True)
    cause: Mapped[str]
    actor: Mapped[str]


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
    order_id: Mapped[str | None]
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    points: Mapped[int]
    remaining: Mapped[int]


class NaiveEvent(Base):
    """What happened."""

    __tablename__ = "naive_events"
    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    name: Mapped[str]
    account_id: Mapped[int] = mapped_column(index=True)
    actor: Mapped[str]
    data: Mapped[Any] = mapped_column(JSON)


def connect(url: str, pool_size: int) -> Engine:
    """An engine on a database with the naive tables."""
    engine = create_engine(url, pool_size=pool_size)
    Base.metadata.create_all(engine)
    return engine


def post(
    engine: Engine, order_id: str, account_id: int, month: str, fen: int, now: datetime, ends_at: datetime
) -> None:  # fmt: skip
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
            _book(session, account, "earn", points, now, month=month, order_id=order_id)
            _grant(session, account, points, ends_at, order_id)
            _tell(session, account, "earned", points, now)


def spend(engine: Engine, account_id: int, points: int, order_id: str, now: datetime) -> bool:
    """Spend points first-expiring-first and commit, once an order; False where she has too few."""
    with Session(engine) as session, session.begin():
        account = session.get_one(NaiveAccount, account_id, with_for_update=True)
        paid = select(NaiveTransaction).where(NaiveTransaction.order_id == order_id, NaiveTransaction.kind == "spend")
        if session.scalars(paid).first():
            return True
        open_lots = select(NaiveLot).where(
            NaiveLot.account_id == account_id, NaiveLot.remaining > 0, NaiveLot.expires_at > now
        )
        lots = session.scalars(open_lots.order_by(NaiveLot.expires_at, NaiveLot.id).with_for_update()).all()
        if sum(lot.remaining for lot in lots) < points:
            return False
        need = points
        for lot in lots:
            taken = min(need, lot.remaining)
            lot.remaining -= taken
            need -= taken
            if not need:
                break
        account.balance -= points
        _book(session, account, "spend", -points, now, order_id=order_id)
        _tell(session, account, "spent", points, now)
        return True


def stock(engine: Engine, lots: int, points: int, now: datetime, ends_at: datetime) -> int:
    """A new account with this many lots of so many points each; its id."""
    with Session(engine) as session, session.begin():
        account = NaiveAccount(balance=0, debt=0)
        session.add(account)
        session.flush()
        for _ in range(lots):
            _book(session, account, "earn", points, now)
            _grant(session, account, points, ends_at)
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


def _book(
    session: Session, account: NaiveAccount, kind: str, points: int, now: datetime, *, month: str = "",
    order_id: str | None = None,
) -> None:  # fmt: skip
    line = NaiveTransaction(
        at=now, account_id=account.id, kind=kind, month=month, points=points, order_id=order_id,
        cause=f"order:{order_id}" if order_id else "", actor=ACTOR,
    )  # fmt: skip
    session.add(line)
    session.flush()
    session.add(NaiveEntry(transaction_id=line.id, account="customer", points=points))
    session.add(NaiveEntry(transaction_id=line.id, account="issuer", points=-points))


def _grant(
    session: Session, account: NaiveAccount, points: int, ends_at: datetime, order_id: str | None = None
) -> None:  # fmt: skip
    """Pay her debts, the rest becomes a lot."""
    paid = min(points, account.debt)
    account.debt -= paid
    account.balance += points - paid
    if points > paid:
        left = points - paid
        session.add(NaiveLot(
            account_id=account.id, order_id=order_id, expires_at=ends_at, points=left, remaining=left
        ))  # fmt: skip


def _tell(session: Session, account: NaiveAccount, name: str, points: int, now: datetime) -> None:
    session.add(NaiveEvent(at=now, name=name, account_id=account.id, actor=ACTOR, data={"points": points}))
