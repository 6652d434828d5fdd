"""Tables of binding."""

from sqlalchemy import ForeignKey, Index, LargeBinary
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id


class SmsCode(Base):
    """A code sent to a phone. state: sending, sent, refused or unknown, with the service's words in error.

    phone: sealed; phone_value: as `identities` keeps it; code_value: the keyed hash (hex) of the code.
    """

    __tablename__ = "sms_codes"
    __table_args__ = (Index("ix_sms_codes_customer_id", "customer_id"),)
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    phone: Mapped[bytes] = mapped_column(LargeBinary)
    phone_value: Mapped[str]
    code_value: Mapped[str]
    made_at: Mapped[At]
    used_at: Mapped[At | None]
    state: Mapped[str]
    error: Mapped[str]


class Binding(Base):
    """What was tied to her. how: phone or order; value: of the identity, or the shop's order_id.

    orders: how many orders became hers by it; points: the reward, 0 where there was none.
    """

    __tablename__ = "bindings"
    __table_args__ = (Index("ix_bindings_customer_id", "customer_id"), Index("ix_bindings_value", "how", "value"))
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    how: Mapped[str]
    value: Mapped[str]
    orders: Mapped[int]
    points: Mapped[Big]
    at: Mapped[At]
    actor: Mapped[str]
