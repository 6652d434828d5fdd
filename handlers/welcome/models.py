"""Tables of welcomes."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class WelcomeRule(Base):
    """A rule as the API takes it: `when` and content (text, attachments)."""

    __tablename__ = "welcome_rules"
    id: Mapped[Id]
    name: Mapped[str]
    when: Mapped[Json]
    content: Mapped[Json]
    enabled: Mapped[bool]
    created_at: Mapped[At]
    created_by: Mapped[str]


class Welcome(Base):
    """The welcome of one adding: what was chosen, by which rule, and what became of it (C9).

    content: with what was enclosed, not yet filled; None where nothing is said. left_out: what it goes without.
    state: posted, sent, late, refused, or none where nothing is said. reason: no_code, half_added, late, another_first,
    assigned, refused, or empty.
    """

    __tablename__ = "welcomes"
    __table_args__ = (
        UniqueConstraint("external_userid", "userid", "added_at"),
        Index("ix_welcomes_outbox_id", "outbox_id", postgresql_where=text("outbox_id IS NOT NULL")),
        Index("ix_welcomes_customer_id", "customer_id", "id"),
    )
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    external_userid: Mapped[str]
    userid: Mapped[str]
    added_at: Mapped[At]
    rule: Mapped[str]
    content: Mapped[Json | None]
    left_out: Mapped[Json]
    state: Mapped[str]
    reason: Mapped[str]
    outbox_id: Mapped[Big | None]
