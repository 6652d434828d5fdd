"""What WeCom tells of groups (wecom.md §2.2), and what tags and merges mean for whose group is whose (T7)."""

import structlog
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import on
from bot.core.installation import Installation
from bot.wecom.client import WeCom
from bot.wecom.errors import Refused
from bot.wecom.inbox import receives
from bot.wecom.messages import GroupChanged
from bot.wecom.outbox import OutboxRow, settles
from tags.groups import chats, joinways, routes
from tags.groups.chats import ChatAsked, Reading
from tags.groups.joinways import JoinWayAsked
from tags.people.events import ContactAdded, CustomersMerged, MergeUndone
from tags.tagging.events import TagAdded, TagRemoved

log = structlog.get_logger(__name__)


def chat_now(installation: Installation, wecom: WeCom, message: GroupChanged | ChatAsked) -> Reading | None:
    """The group as it is now; None where it is dismissed, or WeCom does not let this program see it."""
    if isinstance(message, GroupChanged) and message.change == "dismiss":
        return None
    at = clock.now()
    try:
        return chats.of_get(wecom.contact.groupchat_get(message.chat_id), at)
    except Refused as error:
        log.warning("a group chat can't be read", chat_id=message.chat_id, error=str(error))
        return None


@receives(GroupChanged, read=chat_now)
def changed(session: Session, message: GroupChanged, reading: Reading | None) -> None:
    if reading is not None:
        chats.take(session, reading)
    elif message.change == "dismiss":
        chats.dismissed(session, message.chat_id, message.at)


@receives(ChatAsked, read=chat_now)
def answered(session: Session, question: ChatAsked, reading: Reading | None) -> None:
    if reading is not None:
        chats.take(session, reading)


def join_way(installation: Installation, wecom: WeCom, question: JoinWayAsked) -> str:
    return str(wecom.contact.get_join_way(question.config_id)["qr_code"])


@receives(JoinWayAsked, read=join_way)
def coded(session: Session, question: JoinWayAsked, qr_code: str) -> None:
    joinways.coded(session, question.route_id, qr_code)


@settles("add_join_way")
def made(session: Session, row: OutboxRow) -> None:
    route_id = joinways.route_of(row.payload["state"])
    assert route_id is not None
    if row.state == "sent" and row.answer is not None:
        joinways.made(session, route_id, row.answer["config_id"])
    elif row.state == "refused":
        routes.discard(session, route_id)


@settles("update_join_way")
def updated(session: Session, row: OutboxRow) -> None:
    if row.state == "sent":
        joinways.follow(session, row.payload)


@on(TagAdded)
def tagged(session: Session, event: TagAdded) -> None:
    assert event.customer_id is not None
    routes.on_tag(session, event.customer_id, event.tag_id)


@on(TagRemoved)
def untagged(session: Session, event: TagRemoved) -> None:
    assert event.customer_id is not None
    routes.on_tag(session, event.customer_id, event.tag_id)


@on(ContactAdded)
def recognise(session: Session, event: ContactAdded) -> None:
    assert event.customer_id is not None
    chats.relink(session, event.customer_id)


@on(CustomersMerged)
def follow_merge(session: Session, event: CustomersMerged) -> None:
    assert event.customer_id is not None
    chats.relink(session, event.customer_id, event.from_id)


@on(MergeUndone)
def follow_undoing(session: Session, event: MergeUndone) -> None:
    assert event.customer_id is not None
    chats.relink(session, event.customer_id, event.from_id)
