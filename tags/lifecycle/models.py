"""Tables of the lifecycle."""

from sqlalchemy import ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big


class StageRow(Base):
    """A buyer's stage since when, empty once no order of hers counts. tagged: the stage her computed tag says.

    due_at: from when silence alone makes it another one.
    """

    __tablename__ = "lifecycles"
    __table_args__ = (
        Index("ix_lifecycles_stage", "stage"),
        Index("ix_lifecycles_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    stage: Mapped[str]
    tagged: Mapped[str]
    since: Mapped[At]
    due_at: Mapped[At | None]
