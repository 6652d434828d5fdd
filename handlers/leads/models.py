"""Tables of leads."""

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class Lead(Base):
    """A customer in the pool. state: open, handed_out, added, refused or merged. not_before: when she may be asked.

    merged: another lead of the same person stands, until they are parted. source: buyer or import.
    """

    __tablename__ = "leads"
    __table_args__ = (
        Index("ix_leads_open", "not_before", "id", postgresql_where=text("state = 'open'")),
        Index("ix_leads_state", "state", "id"),
    )
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), unique=True)
    source: Mapped[str]
    state: Mapped[str]
    not_before: Mapped[At]
    made_at: Mapped[At]


class HandOut(Base):
    """One member's turn with a lead; of a lead at most one has no end. actor: who shared out.

    result: added, refused, no_answer, returned or expired once it has ended. note: the member's.
    """

    __tablename__ = "lead_hand_outs"
    __table_args__ = (
        Index("uq_lead_hand_outs_open", "lead_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("ix_lead_hand_outs_lead_id", "lead_id", "id"),
        Index("ix_lead_hand_outs_userid", "userid", "at"),
        Index("ix_lead_hand_outs_due_at", "due_at", postgresql_where=text("ended_at IS NULL")),
    )
    id: Mapped[Id]
    lead_id: Mapped[Big] = mapped_column(ForeignKey("leads.id"))
    userid: Mapped[str] = mapped_column(ForeignKey("staff.userid"))
    at: Mapped[At]
    due_at: Mapped[At]
    actor: Mapped[str]
    ended_at: Mapped[At | None]
    result: Mapped[str]
    note: Mapped[str]


class LeadRule(Base):
    """Who gets whom, each morning, in the order of the rules. where: a condition tree, None for everybody."""

    __tablename__ = "lead_rules"
    id: Mapped[Id]
    name: Mapped[str]
    where: Mapped[Json | None] = mapped_column("where_tree")
    staff: Mapped[Json]  # [userid, …]
    made_at: Mapped[At]
    made_by: Mapped[str]
