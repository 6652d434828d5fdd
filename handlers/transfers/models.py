"""Tables of transfers."""

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id

OPEN = ("asked", "waiting")


class Transfer(Base):
    """One customer of one member, handed to another. resigned: he had left the corp.

    state: asked (WeCom has not answered), waiting (for the 24 hours), done, or not: refused (by her), full (he has too
    many customers), failed. reason: WeCom's errcode or words, `twice`, `no_record`; empty where it went well.
    """

    __tablename__ = "transfers"
    __table_args__ = (
        Index("uq_transfers_open", "external_userid", "handover", unique=True,
              postgresql_where=text("state IN ('asked', 'waiting')")),
        Index("ix_transfers_open", "handover", "takeover", postgresql_where=text("state IN ('asked', 'waiting')")),
        Index("ix_transfers_external_userid", "external_userid", "asked_at"),
    )  # fmt: skip
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    external_userid: Mapped[str]
    handover: Mapped[str] = mapped_column(ForeignKey("staff.userid"))
    takeover: Mapped[str] = mapped_column(ForeignKey("staff.userid"))
    resigned: Mapped[bool]
    state: Mapped[str]
    reason: Mapped[str]
    asked_at: Mapped[At]
    asked_by: Mapped[str]
    settled_at: Mapped[At | None]
