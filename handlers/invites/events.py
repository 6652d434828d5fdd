"""What invites announce."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class Invited(Event, name="group.invited"):
    """An invitation left. carrier: welcome or kf. reminder: whether it is the one reminder."""

    invitation_id: int
    segment_group: str
    carrier: str
    reminder: bool


@dataclass(frozen=True, kw_only=True)
class NotInvited(Event, name="group.not_invited"):
    """An invitation will not leave, or does not have to (C9).

    reason: in_group (she sits there already), joined_first (before it had left), elsewhere (the route is hers no more),
    expired (nothing could carry it for seven days) or refused, with WeCom's words in detail.
    """

    invitation_id: int
    segment_group: str
    reason: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class LinkClicked(Event, name="link.clicked"):
    """She opened a link of ours. kind: invitation; code: the last part of its address."""

    kind: str
    code: str
