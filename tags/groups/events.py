"""What groups announce."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class GroupJoined(Event, name="group.joined"):
    """She is in a group chat. customer_id is None where she is nobody's contact. chat: its name then.

    join_scene: 1 invited by a member, 2 by a link, 3 scanned a code. state: of the join way, empty otherwise.
    """

    chat_id: str
    chat: str
    external_userid: str
    join_scene: int
    state: str


@dataclass(frozen=True, kw_only=True)
class GroupLeft(Event, name="group.left"):
    """She is in a group chat no more: left it, was removed, or it was dismissed."""

    chat_id: str
    chat: str
    external_userid: str


@dataclass(frozen=True, kw_only=True)
class GroupAssigned(Event, name="group.assigned"):
    """A segment group has a route for her now, or another one than before (T7); told once per change.

    invite: whether it was her change; who is placed because the segment group was made or edited is invited only where
    its maker said so.
    """

    assignment_id: int
    segment_group_id: int
    segment_group: str
    route_id: int
    tag_id: int | None
    segment_id: int | None
    invite: bool


@dataclass(frozen=True, kw_only=True)
class GroupPointedOut(Event, name="group.pointed_out"):
    """A rule or a live code led her to a route that was hers before; she may never have been told of it."""

    assignment_id: int
    segment_group: str


@dataclass(frozen=True, kw_only=True)
class GroupUnassigned(Event, name="group.unassigned"):
    """A route is hers no more."""

    assignment_id: int
    segment_group_id: int
    segment_group: str
    route_id: int
