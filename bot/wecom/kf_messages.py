"""What a 微信客服 account pulls with `sync_msg`, typed (wecom.md §4.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.wecom.errors import Unreadable
from bot.wecom.message import Fields, Message, moment, number, text

CUSTOMER, SERVICER = 3, 5  # origin of what was said: she, or a member in the client


@dataclass(frozen=True, kw_only=True, slots=True)
class _KfItem(Message):
    """One row of `sync_msg`; external_userid is "" in the few events that are nobody's."""

    msgid: str
    open_kfid: str
    external_userid: str

    @property
    def key(self) -> str:
        return self.external_userid or self.open_kfid


@dataclass(frozen=True, kw_only=True, slots=True)
class KfMessage(_KfItem):
    """Somebody said something. origin: CUSTOMER, or SERVICER and then `servicer_userid` who.

    kind: WeCom's msgtype. text: of a text; menu_id: of the menu item she clicked, else "". content: what `kind` holds.
    """

    origin: int
    servicer_userid: str
    kind: str
    text: str
    menu_id: str
    content: Fields


@dataclass(frozen=True, kw_only=True, slots=True)
class KfEntered(_KfItem):
    """She opened the chat. scene, scene_param: of the link.

    welcome_code: for one `send_msg_on_event` within 20 s, "" where none may be sent.
    """

    scene: str
    scene_param: str
    welcome_code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KfSendFailed(_KfItem):
    """What we sent as `fail_msgid` did not arrive.

    fail_type: 0 unknown, 1 account deleted, 2 app closed, 4 over 48 h, 5 session closed, 6 over five,
    8 corp unverified, 10 she refused, 11 no member logged in, 12 kind forbidden, 13 safety.
    """

    fail_msgid: str
    fail_type: int


@dataclass(frozen=True, kw_only=True, slots=True)
class KfSessionChanged(_KfItem):
    """change_type: 1 taken from the pool, 2 handed on, 3 ended, 4 taken up again.

    msg_code: for one `send_msg_on_event`, after 1 within 48 h, after 3 within 20 s.
    """

    change_type: int
    old_servicer_userid: str
    new_servicer_userid: str
    msg_code: str


@dataclass(frozen=True, kw_only=True, slots=True)
class KfOther(_KfItem):
    """Any other event, or a row that is not as documented. event: its event_type or msgtype; fields: the whole row."""

    event: str
    fields: Fields


def parse_kf(open_kfid: str, item: Fields) -> Message:
    """One row of the `msg_list` that `sync_msg` gave for `open_kfid`.

    Raises Unreadable only where it has no msgid; what is odd otherwise is a KfOther, and a missing time is 1970, so
    that one bad row does not hold up an account's cursor.
    """
    if not isinstance(item, Mapping) or not text(item, "msgid"):
        raise Unreadable("a 微信客服 message has no msgid")
    kind = text(item, "msgtype")
    content = item.get(kind)
    inner: Fields = content if isinstance(content, Mapping) else {}
    known: dict[str, Any] = {
        "at": moment(item.get("send_time")) or datetime.fromtimestamp(0, UTC),
        "msgid": text(item, "msgid"),
        "open_kfid": open_kfid,
        "external_userid": text(inner if kind == "event" else item, "external_userid"),  # events name her inside
    }
    if kind == "event":
        read = _EVENTS.get(text(inner, "event_type"))
        return read(inner, known) if read else KfOther(event=text(inner, "event_type"), fields=item, **known)
    origin = number(item, "origin")
    if origin not in (CUSTOMER, SERVICER) or not kind or not known["external_userid"]:
        return KfOther(event=kind, fields=item, **known)
    return KfMessage(
        origin=origin,
        servicer_userid=text(item, "servicer_userid"),
        kind=kind,
        text=text(inner, "content") if kind == "text" else "",
        menu_id=text(inner, "menu_id"),
        content=inner,
        **known,
    )


_EVENTS: dict[str, Callable[[Fields, dict[str, Any]], Message]] = {
    "enter_session": lambda event, known: KfEntered(
        scene=text(event, "scene"),
        scene_param=text(event, "scene_param"),
        welcome_code=text(event, "welcome_code"),
        **known,
    ),
    "msg_send_fail": lambda event, known: KfSendFailed(
        fail_msgid=text(event, "fail_msgid"), fail_type=number(event, "fail_type") or 0, **known
    ),
    "session_status_change": lambda event, known: KfSessionChanged(
        change_type=number(event, "change_type") or 0,
        old_servicer_userid=text(event, "old_servicer_userid"),
        new_servicer_userid=text(event, "new_servicer_userid"),
        msg_code=text(event, "msg_code"),
        **known,
    ),
}
