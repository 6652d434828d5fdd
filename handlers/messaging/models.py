"""Tables of messaging."""

from datetime import datetime, timedelta

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json
from handlers.messaging import rules


class KfWindow(Base):
    """How far we may write to her in one 微信客服 account: her last message, and what was sent since."""

    __tablename__ = "kf_windows"
    __table_args__ = (UniqueConstraint("external_userid", "open_kfid"),)
    id: Mapped[Id]
    external_userid: Mapped[str]
    open_kfid: Mapped[str]
    last_at: Mapped[At]
    sent: Mapped[int]

    @property
    def until(self) -> datetime:
        """When it closes, whatever was sent."""
        return self.last_at + timedelta(hours=rules.WINDOW_HOURS)


class Delivery(Base):
    """A message for one customer, once for each `dedupe`. purpose: welcome, answer, transactional or marketing.

    content: as `Content` has it, rendered when it leaves; parts: the 微信客服 messages it then became, todo: the places
    of those still to be sent, sent: how many were, outbox_id: the row of the one under way, tries: how often a closed
    window turned one back. open_kfid: the one account it may go by, None for any. member: who says it, and is told
    while it waits, at told_at. reason: why it waits, or was not sent. outcome, once done: sent, refused, expired or
    withdrawn.
    """

    __tablename__ = "deliveries"
    __table_args__ = (
        Index("ix_deliveries_open", "customer_id", "id", postgresql_where=text("done_at IS NULL")),
        Index("ix_deliveries_expires_at", "expires_at", postgresql_where=text("done_at IS NULL")),
        Index("ix_deliveries_outbox_id", "outbox_id", postgresql_where=text("outbox_id IS NOT NULL")),
        Index("ix_deliveries_member", "member", postgresql_where=text("done_at IS NULL AND member IS NOT NULL")),
    )
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    purpose: Mapped[str]
    dedupe: Mapped[str] = mapped_column(unique=True)
    content: Mapped[Json | None]
    parts: Mapped[Json | None]
    todo: Mapped[Json]
    sent: Mapped[int]
    tries: Mapped[int]
    outbox_id: Mapped[Big | None]
    open_kfid: Mapped[str | None]
    member: Mapped[str | None]
    told_at: Mapped[At | None]
    reason: Mapped[str]
    created_at: Mapped[At]
    expires_at: Mapped[At]
    done_at: Mapped[At | None]
    outcome: Mapped[str | None]
