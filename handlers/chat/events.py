"""What happens in a chat."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class MessageReceived(Event, name="message.received"):
    """She wrote in 微信客服. kind: WeCom's msgtype. text: of a text, whole. asked: the questions understood in it."""

    open_kfid: str
    msgid: str
    kind: str
    text: str
    asked: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class HandedOver(Event, name="chat.handed_over"):
    """A person has the conversation now, the bot is silent in it (W3). to: userid, or empty for the pool.

    reason: asked (she did), misunderstood (twice in a row) or taken (the person did).
    """

    open_kfid: str
    to: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class HandedBack(Event, name="chat.handed_back"):
    """The bot answers again.

    reason: ended (the person ended the session), overdue (he was silent too long) or nobody (WeCom says so).
    """

    open_kfid: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class HandOverFailed(Event, name="chat.hand_over_failed"):
    """Nobody could take the conversation; the bot kept it and said so. reason: WeCom's words."""

    open_kfid: str
    reason: str
