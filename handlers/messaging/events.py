"""What messaging announces."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class MessageSent(Event, name="message.sent"):
    """WeCom took a message for her. text: its beginning, empty for a picture and the like."""

    delivery_id: int
    purpose: str
    text: str


@dataclass(frozen=True, kw_only=True)
class MessageRefused(Event, name="message.refused"):
    """A message, or a part of one, will not reach her.

    reason: `window_closed` (of an answer), `nothing_to_send`, `fail_type N` (WeCom had taken it and could not bring it
    to her, `msg_send_fail`), or WeCom's words; then errcode is WeCom's, else None.
    """

    delivery_id: int
    purpose: str
    reason: str
    errcode: int | None


@dataclass(frozen=True, kw_only=True)
class MessageWaiting(Event, name="message.waiting"):
    """Nothing may carry a message to her now; it leaves when she opens 微信客服. reason: `no_open_window` (W7)."""

    delivery_id: int
    purpose: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class MessageExpired(Event, name="message.expired"):
    """A message waited for seven days and was not sent."""

    delivery_id: int
    purpose: str
    reason: str
