"""The table of statements."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id


class Consent(Base):
    """One statement, append-only. customer_id: who made it; a merge leaves it so, and a family's newest counts.

    how: chat, h5, console, api, import or shop. version: of the text she agreed to, empty where there was none.
    """

    __tablename__ = "consents"
    __table_args__ = (Index("ix_consents_customer_id", "customer_id", "purpose", "at", "id"),)
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    purpose: Mapped[str]
    state: Mapped[str]
    at: Mapped[At]
    how: Mapped[str]
    version: Mapped[str]
    actor: Mapped[str]
