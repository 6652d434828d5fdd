"""Tables of groups."""

from sqlalchemy import ForeignKey, Index, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json
from tags.groups.rules import WhenFull


class GroupChat(Base):
    """A group as `groupchat/get` last showed it; one only named so far (by a route, a callback) has no `read_at`."""

    __tablename__ = "group_chats"
    chat_id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner: Mapped[str]  # userid
    people: Mapped[int]  # members and customers together: what WeCom's limit of a group counts
    version: Mapped[str]  # of the member list; empty where WeCom gives none
    created_at: Mapped[At | None]
    read_at: Mapped[At | None]
    looked_at: Mapped[At | None]  # when WeCom was last asked, whatever it said
    dismissed_at: Mapped[At | None]


class GroupMember(Base):
    """A customer (or somebody who is nobody's contact yet) in a group; one who left keeps her row."""

    __tablename__ = "group_members"
    __table_args__ = (
        UniqueConstraint("chat_id", "external_userid"),
        Index("ix_group_members_customer_id", "customer_id", postgresql_where=text("customer_id IS NOT NULL")),
        Index("ix_group_members_external_userid", "external_userid"),
    )
    id: Mapped[Id]
    chat_id: Mapped[str] = mapped_column(ForeignKey("group_chats.chat_id"))
    external_userid: Mapped[str]
    customer_id: Mapped[Big | None] = mapped_column(ForeignKey("customers.id"))
    joined_at: Mapped[At]
    join_scene: Mapped[int]  # 1 invited by a member, 2 by a link, 3 scanned a code
    state: Mapped[str]  # of the join way she came by
    left_at: Mapped[At | None]


class SegmentGroup(Base):
    """Routes in an order. ready_at: when WeCom had made the codes it began with; before that a refusal undoes it."""

    __tablename__ = "segment_groups"
    id: Mapped[Id]
    name: Mapped[str]
    created_at: Mapped[At]
    created_by: Mapped[str]
    ready_at: Mapped[At | None]
    closed_at: Mapped[At | None]


class Route(Base):
    """Who has the tag, or whom the segment means, belongs into one of the chats. capacity: people a chat takes.

    when_full: what happens when no chat takes anybody in: `new_chat` (WeCom makes one) or `wait`; full_at: since when
    people wait. config_id, qr_code: of the join way; empty until WeCom made it. listed: the chats it leads to now.
    A removed one keeps its row for the sake of who was invited by it.
    """

    __tablename__ = "group_routes"
    __table_args__ = (
        Index("ix_group_routes_segment_group_id", "segment_group_id", "place"),
        Index("ix_group_routes_segment_id", "segment_id", postgresql_where=text("segment_id IS NOT NULL")),
    )
    id: Mapped[Id]
    segment_group_id: Mapped[Big] = mapped_column(ForeignKey("segment_groups.id"))
    place: Mapped[int]
    tag_id: Mapped[Big | None] = mapped_column(ForeignKey("tags.id"), index=True)
    segment_id: Mapped[Big | None] = mapped_column(ForeignKey("segments.id"))
    capacity: Mapped[int]
    config_id: Mapped[str] = mapped_column(index=True)
    qr_code: Mapped[str]
    listed: Mapped[Json]  # [chat_id, …]
    when_full: Mapped[WhenFull] = mapped_column(Text, server_default="new_chat")
    full_at: Mapped[At | None]
    removed_at: Mapped[At | None]


class RouteChat(Base):
    """A chat of a route's pool; they fill in the order of `place`."""

    __tablename__ = "group_route_chats"
    route_id: Mapped[Big] = mapped_column(ForeignKey("group_routes.id"), primary_key=True)
    chat_id: Mapped[str] = mapped_column(ForeignKey("group_chats.chat_id"), primary_key=True, index=True)
    place: Mapped[int]


class GroupAssignment(Base):
    """A route that is, or was, hers; one that becomes hers again is the same row. Merged customers keep their own."""

    __tablename__ = "group_assignments"
    __table_args__ = (
        UniqueConstraint("customer_id", "route_id"),
        Index(
            "uq_group_assignments_standing", "customer_id", "segment_group_id", unique=True,
            postgresql_where=text("ended_at IS NULL"),
        ),
        Index("ix_group_assignments_route_id", "route_id", postgresql_where=text("ended_at IS NULL")),
    )  # fmt: skip
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    segment_group_id: Mapped[Big] = mapped_column(ForeignKey("segment_groups.id"))
    route_id: Mapped[Big] = mapped_column(ForeignKey("group_routes.id"))
    assigned_at: Mapped[At]
    ended_at: Mapped[At | None]
