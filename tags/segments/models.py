"""Tables of segments."""

from sqlalchemy import ForeignKey, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class Segment(Base):
    """A condition tree with a name. version: counts the changes, so that who saves knows what he saw.

    since: from when the tree is what it is.
    """

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
    since: Mapped[At]
    deleted_at: Mapped[At | None]


PART_BITS = 16  # the low bits of an id: a part holds 65,536 customers in 8 KB at most


class SegmentPart(Base):
    """Who was told to have entered and not to have left, of the customers whose ids begin with `part`.

    part: id >> 16. members: a serialised roaring bitmap of whole ids. xid: of the transaction that wrote them.
    """

    __tablename__ = "segment_parts"
    __table_args__ = (Index("ix_segment_parts_xid", "xid"),)
    segment_id: Mapped[Big] = mapped_column(ForeignKey("segments.id"), primary_key=True)
    part: Mapped[int] = mapped_column(primary_key=True)
    members: Mapped[bytes] = mapped_column(LargeBinary)
    xid: Mapped[Big] = mapped_column(server_default="0")


class MembershipChange(Base):
    """A statement may have moved her into or out of what conditions ask; written by triggers (`bot/migrations`).

    xid: of the transaction, by which a reader knows what he has read. home: the table. key: what tells its rows apart
    for leaves (a tag's id), or empty. held: whether she has `key` now, None where that is to be looked at.
    customer_id: None for anybody. at: the system's clock.
    """

    __tablename__ = "membership_changes"
    __table_args__ = (Index("ix_membership_changes_xid", "xid"), Index("ix_membership_changes_at", "at"))
    id: Mapped[Id]
    xid: Mapped[Big]
    at: Mapped[At]
    home: Mapped[str]
    key: Mapped[str]
    held: Mapped[bool | None]
    customer_id: Mapped[Big | None]


class LeafSnapshot(Base):
    """Whom a leaf meant, so that a process that starts need not ask the tables.

    leaf: its JSON. position: the `pg_snapshot` it was seen in. as_of: its moment on `core.clock`. kept_at: the
    system's clock. members: a serialised bitmap; digest: its SHA-256.
    """

    __tablename__ = "leaf_snapshots"
    leaf: Mapped[str] = mapped_column(primary_key=True)
    position: Mapped[str]
    as_of: Mapped[At]
    kept_at: Mapped[At]
    members: Mapped[bytes] = mapped_column(LargeBinary)
    digest: Mapped[bytes] = mapped_column(LargeBinary)
