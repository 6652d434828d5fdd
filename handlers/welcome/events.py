"""What welcomes announce: what was said, or why not (C9)."""

from dataclasses import dataclass

from bot.core.events import Event
from handlers.messaging.content import LeftOut


@dataclass(frozen=True, kw_only=True)
class WelcomeSent(Event, name="welcome.sent"):
    """WeCom took the welcome. rule: its name, empty for the built-in one. left_out: what it went without."""

    external_userid: str
    userid: str
    rule: str
    left_out: list[LeftOut]


@dataclass(frozen=True, kw_only=True)
class WelcomeLate(Event, name="welcome.late"):
    """It did not go by a welcome code and goes the way of other messages.

    reason: no_code (WeCom gave none: the member has a welcome of his own in the admin console, or they were chatting),
    half_added (none came with the half relation), late (over 20 s), another_first (another app welcomed, or they chat).
    """

    external_userid: str
    userid: str
    rule: str
    reason: str
    errcode: int | None


@dataclass(frozen=True, kw_only=True)
class WelcomeRefused(Event, name="welcome.refused"):
    """Nothing is said.

    reason: assigned (an administrator gave her to the member), nothing_to_send, or WeCom's words to its errcode.
    """

    external_userid: str
    userid: str
    rule: str
    reason: str
    errcode: int | None
