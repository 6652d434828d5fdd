"""Tables of orders. `order_id` is the shop's own id, `order_number` refers to our row.

Lines, months and buyers are written by the statement that writes the orders they belong to, so they have no foreign
keys, which would cost an import a fifth of its time; `verify` checks that nothing points nowhere.
"""

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class Order(Base):
    """What the shop says was paid. customer_id: whose it was when it came in; a merge leaves it so (C2).

    total_fen: what she paid. refunded_fen: kept from `refunds`. refunded_at: when nothing was left of it.
    """

    __tablename__ = "orders"
    __table_args__ = (
        UniqueConstraint("order_id"),
        Index("ix_orders_customer_id", "customer_id", "paid_at"),
        Index("ix_orders_paid_at", "paid_at", postgresql_using="brin"),
        Index("ix_orders_refunded", "id", postgresql_where=text("refunded_at IS NOT NULL")),
        CheckConstraint("refunded_fen BETWEEN 0 AND total_fen", name="refunded"),
    )
    id: Mapped[Id]
    order_id: Mapped[str]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    paid_at: Mapped[At]
    month: Mapped[str]
    total_fen: Mapped[Big]
    points_used: Mapped[Big]
    refunded_fen: Mapped[Big]
    refunded_at: Mapped[At | None]
    placed_at: Mapped[At]


class OrderItem(Base):
    """A line of an order, in the shop's order. customer_id, paid_at: the order's, for what was bought in a window."""

    __tablename__ = "order_items"
    __table_args__ = (
        Index("ix_order_items_sku", "sku", "paid_at", postgresql_include=["customer_id", "order_number"]),
        Index("ix_order_items_category", "category", "paid_at", postgresql_include=["customer_id", "order_number"]),
    )
    order_number: Mapped[Big] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    sku: Mapped[str]
    name: Mapped[str]
    category: Mapped[str]
    quantity: Mapped[int]
    unit_price_fen: Mapped[Big]
    customer_id: Mapped[Big]
    paid_at: Mapped[At]


class Refund(Base):
    """A part of an order given back. items: [{sku, quantity}, …] as the shop says, may be empty."""

    __tablename__ = "refunds"
    __table_args__ = (UniqueConstraint("order_number", "refund_id"),)
    id: Mapped[Id]
    order_number: Mapped[Big] = mapped_column(ForeignKey("orders.id"))
    refund_id: Mapped[str]
    amount_fen: Mapped[Big]
    refunded_at: Mapped[At]
    items: Mapped[Json]


class OrderMonth(Base):
    """A customer's net spend of a local month (`2026-11`) and how many of its orders are not fully refunded."""

    __tablename__ = "order_months"
    customer_id: Mapped[Big] = mapped_column(primary_key=True)
    month: Mapped[str] = mapped_column(primary_key=True)
    orders: Mapped[int]
    net_fen: Mapped[Big]


class Buyer(Base):
    """A customer's sums over all her orders; without any that counts, `orders` is 0 and the moments are null (T5)."""

    __tablename__ = "buyers"
    __table_args__ = (Index("ix_buyers_last_at", "last_at", postgresql_where=text("orders > 0")),)
    customer_id: Mapped[Big] = mapped_column(primary_key=True)
    orders: Mapped[int]
    net_fen: Mapped[Big]
    first_at: Mapped[At | None]
    last_at: Mapped[At | None]
