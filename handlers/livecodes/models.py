"""Tables of live codes."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class LiveCode(Base):
    """One code. staff: userids; tags: ids; welcome: a content, None for the rules'; daily_cap: a member's, a day.

    What WeCom holds: config_id, None until it has made the code; qr_code, its picture; duty, whom it leads to now.
    outbox_id: the change WeCom has not confirmed yet, pending: what will then be so here. error: why it was refused.
    """

    __tablename__ = "live_codes"
    id: Mapped[Id]
    name: Mapped[str]
    state: Mapped[str] = mapped_column(unique=True)
    staff: Mapped[Json]
    daily_cap: Mapped[int | None]
    skip_verify: Mapped[bool]
    tags: Mapped[Json]
    welcome: Mapped[Json | None]
    segment_group_id: Mapped[Big | None]
    remark_channel: Mapped[bool]
    config_id: Mapped[str | None] = mapped_column(unique=True)
    qr_code: Mapped[str]
    duty: Mapped[Json]
    outbox_id: Mapped[Big | None]
    pending: Mapped[Json | None]
    error: Mapped[str]
    created_at: Mapped[At]
    created_by: Mapped[str]
    closed_at: Mapped[At | None]


class Adding(Base):
    """She became a member's friend through a code; left_at: either deleted the other."""

    __tablename__ = "live_code_addings"
    __table_args__ = (
        UniqueConstraint("live_code_id", "external_userid", "userid", "added_at", name="uq_live_code_addings_adding"),
        Index("ix_live_code_addings_code", "live_code_id", "added_at"),
        Index("ix_live_code_addings_relation", "external_userid", "userid"),
    )
    id: Mapped[Id]
    live_code_id: Mapped[Big] = mapped_column(ForeignKey("live_codes.id"))
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    external_userid: Mapped[str]
    userid: Mapped[str]
    added_at: Mapped[At]
    left_at: Mapped[At | None]
