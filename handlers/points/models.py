"""Tables of points. Transactions and entries are append-only; accounts, months, orders and lots are sums kept of them.

Only an account refers to its customer by a foreign key: all other rows are written by the one statement of `ledger`,
beside the rows they name, and `verify` checks that nothing points nowhere; keys there would be paid by every order.
"""

from datetime import date

from sqlalchemy import CheckConstraint, Date, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class Account(Base):
    """One customer's points. balance: of her open lots, `held` of it for orders; debt: what a claw-back found gone.

    owner_id: herself, or the survivor she was merged into; spending and debts are the owner's, over all her accounts.
    version: how many bookings the sums include. due_at: nothing happens by the clock (a hold's time-out, pending
    points, a lot's end) before then; it may be early, never late.
    """

    __tablename__ = "points_accounts"
    __table_args__ = (
        Index("ix_points_accounts_owner_id", "owner_id"),
        Index("ix_points_accounts_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        CheckConstraint("held BETWEEN 0 AND balance AND debt >= 0 AND pending >= 0", name="sums"),
    )
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    owner_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    balance: Mapped[Big]
    held: Mapped[Big]
    debt: Mapped[Big]
    pending: Mapped[Big]
    version: Mapped[Big]
    due_at: Mapped[At | None]


class StepsRow(Base):
    """A table of earning rates that was in force: [[from_fen, rate_bp], …]. A month account keeps its first one."""

    __tablename__ = "points_steps"
    __table_args__ = (UniqueConstraint("steps"),)
    id: Mapped[Id]
    steps: Mapped[Json]
    since: Mapped[At]


class Month(Base):
    """A customer's calendar month (`2026-11`, local). base: points granted for it, floor(net_fen x rate) (P2)."""

    __tablename__ = "points_months"
    customer_id: Mapped[Big] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    steps_id: Mapped[Big]
    net_fen: Mapped[Big]
    base: Mapped[Big]


class Posted(Base):
    """An order as the ledger knows it: its month account, its net, and from when until when its points can be spent.

    Those two moments are fixed when it is posted.
    """

    __tablename__ = "points_orders"
    __table_args__ = (
        Index("ix_points_orders_pending", "customer_id", "available_at", postgresql_where=text("pending > 0")),
        CheckConstraint("pending >= 0 AND net_fen >= 0", name="sums"),
    )
    order_id: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[Big]
    month: Mapped[str]
    net_fen: Mapped[Big]
    pending: Mapped[Big]
    available_at: Mapped[At]
    ends_at: Mapped[At]


class Bonus(Base):
    """A multiplier fixed for an order when it was paid. granted: the points it has added so far (P2)."""

    __tablename__ = "points_bonuses"
    __table_args__ = (Index("ix_points_bonuses_customer_id", "customer_id", "month"),)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    customer_id: Mapped[Big]
    month: Mapped[str]
    day: Mapped[date] = mapped_column(Date)  # the local day it was paid, for the caps
    multiplier_bp: Mapped[int]
    why: Mapped[str]
    granted: Mapped[Big]


class Transaction(Base):
    """A line of the ledger; its entries sum to 0. kind: see `ledger.KINDS`.

    customer_id: for whom it was booked. order_id: the order whose points these are. cause: what brought it about
    (`order:A1`, `refund:A1/R1`), with `actor` who (G4). facts: the numbers the reason is told from.
    """

    __tablename__ = "points_transactions"
    __table_args__ = (
        Index("ix_points_transactions_cause", "cause", postgresql_where=text("cause <> ''")),
        Index("uq_points_transactions_spend", "order_id", unique=True, postgresql_where=text("kind = 'spend'")),
        Index("ix_points_transactions_given_back", "order_id", postgresql_where=text("kind = 'give_back'")),
    )
    id: Mapped[Id]
    at: Mapped[At]
    customer_id: Mapped[Big]
    kind: Mapped[str]
    order_id: Mapped[str | None]
    cause: Mapped[str]
    actor: Mapped[str]
    facts: Mapped[Json]


class Entry(Base):
    """One leg of a transaction. account: lot, debt, pending (hers); issued, spent, expired, adjusted (the issuer's).

    Her ledger's sum is that of lot and debt. The issuer's balances are sums over this table, so no booking waits for
    another customer's. points: what the account gains.
    """

    __tablename__ = "points_entries"
    customer_id: Mapped[Big] = mapped_column(primary_key=True)
    transaction_id: Mapped[Big] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    account: Mapped[str]
    lot_id: Mapped[Big | None]
    points: Mapped[Big]


class LotRow(Base):
    """Points that end together. remaining: what is left, `held` of it for orders; spent first-expiring-first (P1)."""

    __tablename__ = "points_lots"
    __table_args__ = (
        Index(
            "ix_points_lots_open", "customer_id", "expires_at", "id", postgresql_where=text("remaining > 0"),
        ),
        CheckConstraint("held >= 0 AND held <= remaining AND remaining <= points", name="sums"),
    )  # fmt: skip
    id: Mapped[Id]
    customer_id: Mapped[Big]
    order_id: Mapped[str | None]
    expires_at: Mapped[At]
    points: Mapped[Big]
    remaining: Mapped[Big]
    held: Mapped[Big]


class Hold(Base):
    """Points kept for an order not paid yet. state: held, committed, released or timed_out; resolved once (P1)."""

    __tablename__ = "points_holds"
    __table_args__ = (
        Index(
            "uq_points_holds_order_id", "order_id", unique=True,
            postgresql_where=text("state IN ('held', 'committed')"),
        ),
        Index("ix_points_holds_open", "customer_id", "expires_at", postgresql_where=text("state = 'held'")),
    )  # fmt: skip
    id: Mapped[Id]
    customer_id: Mapped[Big]
    order_id: Mapped[str]
    points: Mapped[Big]
    committed: Mapped[Big]
    made_at: Mapped[At]
    expires_at: Mapped[At]
    state: Mapped[str]
    settled_at: Mapped[At | None]


class HoldLot(Base):
    """From which lot a hold's points will come."""

    __tablename__ = "points_hold_lots"
    hold_id: Mapped[Big] = mapped_column(primary_key=True)
    lot_id: Mapped[Big] = mapped_column(primary_key=True)
    points: Mapped[Big]
