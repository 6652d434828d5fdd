"""What WeCom's callbacks tell us, typed (wecom.md §2); what a 微信客服 account pulls is in `kf_messages`.

Read tolerantly: only what a kind can't do without is asked for, the rest may be missing, and a kind that nothing here
is made for is `Unknown` with its fields, since WeCom adds kinds and fields without notice. Events are hints, which may
come twice and out of order: what is so now is read through the API.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from bot.wecom import xmltree
from bot.wecom.errors import Unreadable as Unreadable
from bot.wecom.kf_messages import KfEntered as KfEntered
from bot.wecom.kf_messages import KfMessage as KfMessage
from bot.wecom.kf_messages import KfOther as KfOther
from bot.wecom.kf_messages import KfSendFailed as KfSendFailed
from bot.wecom.kf_messages import KfSessionChanged as KfSessionChanged
from bot.wecom.kf_messages import parse_kf as parse_kf
from bot.wecom.message import Fields, needed, number, several, text, time_of
from bot.wecom.message import Message as Message

Reader = Callable[[Fields, datetime], Message]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Relation(Message):
    """Something between the member `userid` and the customer `external_userid`."""

    userid: str
    external_userid: str

    @property
    def key(self) -> str:
        return self.external_userid


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactAdded(_Relation):
    """They have become friends. half: she added a member who needs no approval and has not added her back.

    state: of the live code or link she came by, or whatever strangers put there: compare it, never trust it.
    welcome_code: good for one welcome within 20 s of `at`; "" where WeCom gives none (§2.1).
    """

    state: str
    welcome_code: str
    half: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactEdited(_Relation):
    """The member changed the remark or the corp tags in the client."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ContactDeleted(_Relation):
    """The member deleted the customer, or lost her by a transfer."""

    transferred: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FollowUserDeleted(_Relation):
    """The customer deleted the member."""


@dataclass(frozen=True, kw_only=True, slots=True)
class TransferFailed(_Relation):
    """reason: `customer_refused` or `customer_limit_exceed`."""

    reason: str


@dataclass(frozen=True, kw_only=True, slots=True)
class GroupChanged(Message):
    """A customer group; the event carries no state, `groupchat/get` does (§2.2).

    change: `create`, `update`, `dismiss`. detail, of an update: `add_member`, `del_member`, `change_owner`,
    `change_name`, `change_notice`. join_scene: 0 invited, 3 scanned the code. quit_scene: 0 left, 1 was removed.
    members: the ids that joined or left. last_version, version: of the member list, before and after.
    """

    chat_id: str
    change: str
    detail: str
    join_scene: int | None
    quit_scene: int | None
    member_count: int | None
    members: tuple[str, ...]
    last_version: str
    version: str

    @property
    def key(self) -> str:
        return self.chat_id


@dataclass(frozen=True, kw_only=True, slots=True)
class TagChanged(Message):
    """A corp tag or tag group. change: `create`, `update`, `delete`, `shuffle` (new order; then `id` may be "")."""

    id: str
    change: str
    is_group: bool

    @property
    def key(self) -> str:
        return self.id


@dataclass(frozen=True, kw_only=True, slots=True)
class KfActivity(Message):
    """Something is there to pull with `sync_msg`; the token lets it for 10 minutes (§2.6)."""

    open_kfid: str
    token: str

    @property
    def key(self) -> str:
        return self.open_kfid


@dataclass(frozen=True, kw_only=True, slots=True)
class KfAccountsChanged(Message):
    """Which 微信客服 accounts this program may use has changed (§2.6); `kf/account/list` says which they are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AppMessage(Message):
    """A member wrote to the app. kind: `text`, `image`, `voice`, `video`, `location`, `link`; text: of a text."""

    userid: str
    msgid: str
    kind: str
    text: str
    fields: Fields


@dataclass(frozen=True, kw_only=True, slots=True)
class AppEvent(Message):
    """A member did something in the app. event: `subscribe`, `enter_agent`, `click`, …; event_key: of the menu item."""

    userid: str
    event: str
    event_key: str
    fields: Fields


@dataclass(frozen=True, kw_only=True, slots=True)
class Unknown(Message):
    """A kind that nothing here is made for. event, change: its Event (or MsgType) and ChangeType."""

    event: str
    change: str
    fields: Fields

    @property
    def key(self) -> str:
        names = ("ExternalUserID", "ChatId", "OpenKfId")
        return next((value for name in names if isinstance(value := self.fields.get(name), str) and value), "")


def parse(xml: bytes) -> Message:
    """The message in a decrypted callback. Raises Unreadable, and nothing else, whatever the bytes."""
    fields = xmltree.read(xml)
    at = time_of(fields, "CreateTime")
    kind = needed(fields, "MsgType").lower()
    if kind != "event":
        return _app_message(fields, at, kind)
    event = needed(fields, "Event").lower()
    change = text(fields, "ChangeType").lower()
    make = _CALLBACKS.get((event, change)) or _CALLBACKS.get((event, "")) or _unknown
    return make(fields, at)


def _relation(kind: Callable[..., Message], **more: Callable[[Fields], object]) -> Reader:
    def make(fields: Fields, at: datetime) -> Message:
        return kind(
            at=at,
            userid=needed(fields, "UserID"),
            external_userid=needed(fields, "ExternalUserID"),
            **{name: read(fields) for name, read in more.items()},
        )

    return make


def _added(half: bool) -> Reader:
    return _relation(
        ContactAdded,
        state=lambda fields: text(fields, "State"),
        welcome_code=lambda fields: text(fields, "WelcomeCode"),
        half=lambda _: half,
    )


def _group(fields: Fields, at: datetime) -> Message:
    return GroupChanged(
        at=at,
        chat_id=needed(fields, "ChatId"),
        change=needed(fields, "ChangeType").lower(),
        detail=text(fields, "UpdateDetail"),
        join_scene=number(fields, "JoinScene"),
        quit_scene=number(fields, "QuitScene"),
        member_count=number(fields, "MemChangeCnt"),
        members=several(fields, "MemChangeList", "Item"),
        last_version=text(fields, "LastMemVer"),
        version=text(fields, "CurMemVer"),
    )


def _tag(fields: Fields, at: datetime) -> Message:
    change = needed(fields, "ChangeType").lower()
    if change == "shuffle":  # no TagType; the id of a group, or none where the groups themselves were moved
        return TagChanged(at=at, id=text(fields, "Id"), change=change, is_group=True)
    return TagChanged(at=at, id=needed(fields, "Id"), change=change, is_group=text(fields, "TagType") == "tag_group")


def _kf_activity(fields: Fields, at: datetime) -> Message:
    return KfActivity(at=at, open_kfid=needed(fields, "OpenKfId"), token=text(fields, "Token"))


def _app_message(fields: Fields, at: datetime, kind: str) -> Message:
    return AppMessage(
        at=at,
        userid=needed(fields, "FromUserName"),
        msgid=text(fields, "MsgId"),
        kind=kind,
        text=text(fields, "Content"),
        fields=fields,
    )


def _app_event(fields: Fields, at: datetime) -> Message:
    return AppEvent(
        at=at,
        userid=needed(fields, "FromUserName"),
        event=text(fields, "Event").lower(),
        event_key=text(fields, "EventKey"),
        fields=fields,
    )


def _unknown(fields: Fields, at: datetime) -> Message:
    return Unknown(at=at, event=text(fields, "Event"), change=text(fields, "ChangeType"), fields=fields)


_CALLBACKS: dict[tuple[str, str], Reader] = {
    ("change_external_contact", "add_external_contact"): _added(half=False),
    ("change_external_contact", "add_half_external_contact"): _added(half=True),
    ("change_external_contact", "edit_external_contact"): _relation(ContactEdited),
    ("change_external_contact", "del_external_contact"): _relation(
        ContactDeleted, transferred=lambda fields: text(fields, "Source") == "DELETE_BY_TRANSFER"
    ),
    ("change_external_contact", "del_follow_user"): _relation(FollowUserDeleted),
    ("change_external_contact", "transfer_fail"): _relation(
        TransferFailed, reason=lambda fields: text(fields, "FailReason")
    ),
    ("change_external_chat", ""): _group,
    ("change_external_tag", ""): _tag,
    ("kf_msg_or_event", ""): _kf_activity,
    ("kf_account_auth_change", ""): lambda _, at: KfAccountsChanged(at=at),
    **{
        (event, ""): _app_event
        for event in (
            "subscribe", "unsubscribe", "enter_agent", "click", "view", "location", "location_select",
            "scancode_push", "scancode_waitmsg", "pic_sysphoto", "pic_photo_or_album", "pic_weixin",
            "taskcard_click", "template_card_event",
        )
    },
}  # fmt: skip
