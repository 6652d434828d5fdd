"""Frozen: an import of orders as the ORM's documentation would have one write it, keeping the same records as ours.

Never tuned. `csv.DictReader`, a look for the customer and for the order, objects added, the sums of month and buyer
loaded and changed, a commit every 1,000 rows. Rows it can't read are left out.
"""

import csv
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sqlalchemy import BigInteger, DateTime, Engine, ForeignKey, create_engine, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

COMMIT_EVERY = 1_000


class Base(DeclarativeBase):
    """The naive tables."""


class NaiveCustomer(Base):
    """Somebody who buys."""

    __tablename__ = "naive_buyers"
    id: Mapped[int] = mapped_column(primary_key=True)
    external_userid: Mapped[str] = mapped_column(unique=True)
    orders: Mapped[int] = mapped_column(default=0)
    fen: Mapped[int] = mapped_column(BigInteger, default=0)
    first_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    last_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class NaiveOrder(Base):
    """An order."""

    __tablename__ = "naive_imported_orders"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("naive_buyers.id"), index=True)
    paid_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    month: Mapped[str]
    fen: Mapped[int] = mapped_column(BigInteger)


class NaiveItem(Base):
    """A line of an order."""

    __tablename__ = "naive_imported_items"
    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("naive_imported_orders.id"), index=True)
    sku: Mapped[str] = mapped_column(index=True)
    category: Mapped[str] = mapped_column(index=True)


class NaiveMonth(Base):
    """What a customer spent in a month."""

    __tablename__ = "naive_imported_months"
    customer_id: Mapped[int] = mapped_column(ForeignKey("naive_buyers.id"), primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    orders: Mapped[int] = mapped_column(default=0)
    fen: Mapped[int] = mapped_column(BigInteger, default=0)


def connect(url: str) -> Engine:
    """An engine on a database with the naive tables."""
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    return engine


def load(engine: Engine, file: Path, limit: int, zone: ZoneInfo) -> int:
    """Import the first `limit` rows; how many were kept."""
    kept = 0
    with file.open(newline="") as rows, Session(engine) as session:
        for number, row in zip(range(limit), csv.DictReader(rows), strict=False):
            customer = session.scalars(
                select(NaiveCustomer).where(NaiveCustomer.external_userid == row["external_userid"])
            ).one_or_none()
            known = session.scalars(select(NaiveOrder).where(NaiveOrder.order_id == row["order_id"])).one_or_none()
            if customer is None or known is not None:
                continue
            try:
                paid_at = datetime.strptime(row["paid_at"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=zone)
                yuan, _, rest = row["total"].partition(".")
                fen = int(yuan) * 100 + int(rest.ljust(2, "0"))
            except ValueError:
                continue
            order = NaiveOrder(
                order_id=row["order_id"], customer_id=customer.id, paid_at=paid_at, fen=fen, month=f"{paid_at:%Y-%m}"
            )  # fmt: skip
            session.add(order)
            session.flush()
            session.add(NaiveItem(order_id=order.id, sku=row["sku"], category=row["category"]))
            month = session.get(NaiveMonth, (customer.id, order.month))
            if month is None:
                month = NaiveMonth(customer_id=customer.id, month=order.month, orders=0, fen=0)
                session.add(month)
            month.orders += 1
            month.fen += fen
            customer.orders += 1
            customer.fen += fen
            customer.first_at = min(customer.first_at or paid_at, paid_at)
            customer.last_at = max(customer.last_at or paid_at, paid_at)
            kept += 1
            if number % COMMIT_EVERY == COMMIT_EVERY - 1:
                session.commit()
        session.commit()
    return kept
