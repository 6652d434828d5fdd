"""Tables of tagging."""

from sqlalchemy import ForeignKey, Index, Sequence, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id

# Orders readings of relations and what changed them: a number drawn before WeCom is read is smaller than that of any
# change the reading may have missed.
reading_numbers = Sequence("reading_numbers", metadata=Base.metadata)


class TagGroup(Base):
    """A group of tags. kind: corp, profile or computed. wecom_id: None for the latter two, and until WeCom has it."""

    __tablename__ = "tag_groups"
    __table_args__ = (
        Index("uq_tag_groups_local", "kind", "name", unique=True,
              postgresql_where=text("kind <> 'corp' AND deleted_at IS NULL")),
    )  # fmt: skip
    id: Mapped[Id]
    kind: Mapped[str]
    name: Mapped[str]
    single_choice: Mapped[bool]
    wecom_id: Mapped[str | None] = mapped_column(unique=True)
    position: Mapped[Big]  # WeCom's order: bigger stands first
    created_at: Mapped[At]
    deleted_at: Mapped[At | None]


class Tag(Base):
    """One tag. outbox_id: the call that makes it in WeCom, while that is not settled."""

    __tablename__ = "tags"
    __table_args__ = (
        Index("ix_tags_group_id", "group_id"),
        Index("ix_tags_outbox_id", "outbox_id", postgresql_where=text("outbox_id IS NOT NULL")),
    )
    id: Mapped[Id]
    group_id: Mapped[Big] = mapped_column(ForeignKey("tag_groups.id"))
    name: Mapped[str]
    wecom_id: Mapped[str | None] = mapped_column(unique=True)
    position: Mapped[Big]
    outbox_id: Mapped[Big | None]
    created_at: Mapped[At]
    deleted_at: Mapped[At | None]


class Assignment(Base):
    """She has a tag. source: who put it on (`operator:3`, `member:lily`, …). merge_id: it came by a merge."""

    __tablename__ = "tag_assignments"
    __table_args__ = (
        Index("ix_tag_assignments_tag_id", "tag_id", "customer_id"),
        Index("ix_tag_assignments_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
        Index("ix_tag_assignments_merge_id", "merge_id", postgresql_where=text("merge_id IS NOT NULL")),
    )
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    tag_id: Mapped[Big] = mapped_column(ForeignKey("tags.id"), primary_key=True)
    source: Mapped[str]
    at: Mapped[At]
    expires_at: Mapped[At | None]
    merge_id: Mapped[Big | None]


class RelationTag(Base):
    """WeCom has this tag on this relation, as last read from it or confirmed by it."""

    __tablename__ = "relation_tags"
    __table_args__ = (Index("ix_relation_tags_tag_id", "tag_id"),)
    contact_id: Mapped[Big] = mapped_column(ForeignKey("contacts.id"), primary_key=True)
    tag_id: Mapped[Big] = mapped_column(ForeignKey("tags.id"), primary_key=True)


class RelationSync(Base):
    """How far one relation is in step with WeCom.

    number: of the last change of its relation tags, drawn from `reading_numbers`. outbox_id: the latest push. reread: a
    reading came while that push was under way, so the relation is read again once it is settled.
    """

    __tablename__ = "relation_sync"
    contact_id: Mapped[Big] = mapped_column(ForeignKey("contacts.id"), primary_key=True)
    number: Mapped[Big]
    outbox_id: Mapped[Big | None]
    reread: Mapped[bool]
