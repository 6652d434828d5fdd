"""Tables of segments."""

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class Segment(Base):
    """A condition tree with a name. version: counts the changes, so that who saves knows what he saw."""

    __tablename__ = "segments"
    __table_args__ = (Index("uq_segments_name", "name", unique=True, postgresql_where=text("deleted_at IS NULL")),)
    id: Mapped[Id]
    name: Mapped[str]
    where: Mapped[Json] = mapped_column("where_tree")
    version: Mapped[int]
    created_at: Mapped[At]
    created_by: Mapped[str]
    changed_at: Mapped[At]
    changed_by: Mapped[str]
    deleted_at: Mapped[At | None]


class SegmentPart(Base):
    """Who was told to have entered and not to have left, of the customers whose ids begin with `part`.

    part: id >> 16. members: a serialised roaring bitmap of whole ids. version: of the tree they were found by.
    """

    __tablename__ = "segment_parts"
    segment_id: Mapped[Big] = mapped_column(ForeignKey("segments.id"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    members: Mapped[bytes] = mapped_column(LargeBinary)
