"""Tables of invites."""

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id


class InvitationText(Base):
    """What a segment group invites with. remind_after_days: None never reminds."""

    __tablename__ = "invitation_texts"
    segment_group_id: Mapped[Big] = mapped_column(ForeignKey("segment_groups.id", ondelete="CASCADE"), primary_key=True)
    text: Mapped[str]
    remind_after_days: Mapped[int | None]


class Invitation(Base):
    """One customer invited to one route. code: of `/r/<code>`.

    state: waiting (for a carrier), enclosed (in a welcome), sent, joined (needs none) or withdrawn; reason: why it
    waits, was not sent or needs not be. promised_at: when a place in a chat was last set aside for her. round: how
    often it was begun anew after it had been withdrawn.
    """

    __tablename__ = "invitations"
    __table_args__ = (
        Index("ix_invitations_sent_at", "sent_at", postgresql_where=text("state = 'sent' AND reminded_at IS NULL")),
        Index("ix_invitations_customer_id", "customer_id"),
        Index("ix_invitations_route_id", "route_id", "state"),
    )
    id: Mapped[Id]
    assignment_id: Mapped[Big] = mapped_column(ForeignKey("group_assignments.id"), unique=True)
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    route_id: Mapped[Big] = mapped_column(ForeignKey("group_routes.id"))
    code: Mapped[str] = mapped_column(unique=True)
    state: Mapped[str]
    reason: Mapped[str]
    round: Mapped[int]
    created_at: Mapped[At]
    promised_at: Mapped[At | None]
    sent_at: Mapped[At | None]
    clicked_at: Mapped[At | None]
    reminded_at: Mapped[At | None]
    joined_at: Mapped[At | None]
