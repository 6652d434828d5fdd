"""Tables of custom fields."""

from datetime import date
from decimal import Decimal

from sqlalchemy import Date, ForeignKey, Index, Numeric
from sqlalchemy import text as sql
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class CustomField(Base):
    """A field a brand defined. type: text, number, date or choice, for good; choices: of a choice, else empty.

    deleted_at: from then on nobody sees it; purged_at: when its values went for good.
    """

    __tablename__ = "custom_fields"
    __table_args__ = (
        Index("uq_custom_fields_key", "key", unique=True, postgresql_where=sql("deleted_at IS NULL")),
        Index("uq_custom_fields_name", "name", unique=True, postgresql_where=sql("deleted_at IS NULL")),
    )
    id: Mapped[Id]
    key: Mapped[str]
    name: Mapped[str]
    type: Mapped[str]
    choices: Mapped[Json]  # [name, …] in the brand's order
    created_at: Mapped[At]
    created_by: Mapped[str]
    deleted_at: Mapped[At | None]
    purged_at: Mapped[At | None]


class FieldValue(Base):
    """One customer's value in the column of its type. copied_from: the customer a merge took it from (C2)."""

    __tablename__ = "field_values"
    __table_args__ = (
        Index("ix_field_values_text", "field_id", "text", postgresql_where=sql("text IS NOT NULL")),
        Index("ix_field_values_number", "field_id", "number", postgresql_where=sql("number IS NOT NULL")),
        Index("ix_field_values_day", "field_id", "day", postgresql_where=sql("day IS NOT NULL")),
    )
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    field_id: Mapped[Big] = mapped_column(ForeignKey("custom_fields.id"), primary_key=True)
    text: Mapped[str | None]
    number: Mapped[Decimal | None] = mapped_column(Numeric(15, 4))
    day: Mapped[date | None] = mapped_column(Date)
    copied_from: Mapped[Big | None]
    at: Mapped[At]
