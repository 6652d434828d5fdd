"""What WeCom tells of groups (wecom.md §2.2), and what tags and merges mean for whose group is whose (T7)."""

from datetime import datetime

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
from tags.groups import chats, editing, joinways, routes, sync
from tags.groups.chats import ChatAsked, ChatsAsked, Reading
from tags.groups.joinways import JoinWayAsked
from tags.people.events import ContactAdded, CustomersMerged, MergeUndone
from tags.segments.events import SegmentEntered, SegmentLeft
from tags.tagging.events import TagAdded, TagRemoved

log = structlog.get_logger(__name__)


def chat_now(installation: Installation, wecom: WeCom, message: GroupChanged | ChatAsked) -> Reading | datetime | None:
    """The group as it is now, or when it was found dismissed; None where WeCom does not let this program see it."""
    at = clock.now()
    if isinstance(message, GroupChanged) and message.change == "dismiss":
        return message.at
    try:
        return chats.of_get(wecom.contact.groupchat_get(message.chat_id), at)
    except Refused as error:
        if error.errcode in chats.GONE:
            return at
        log.warning("a group chat can't be read", chat_id=message.chat_id, error=str(error))
        return None


@receives(GroupChanged, read=chat_now)
@receives(ChatAsked, read=chat_now)
def changed(session: Session, message: GroupChanged | ChatAsked, found: Reading | datetime | None) -> None:
    if isinstance(found, Reading):
        chats.take(session, found)
    elif found is not None:
        chats.dismissed(session, message.chat_id, found)


def all_chats(installation: Installation, wecom: WeCom, question: ChatsAsked) -> list[str]:
    return list(sync.listed(wecom))


@receives(ChatsAsked, read=all_chats)
def listed(session: Session, question: ChatsAsked, chat_ids: list[str]) -> None:
    chats.listed(session, chat_ids)


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
        editing.discard(session, route_id)


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


@on(SegmentEntered)
def entered(session: Session, event: SegmentEntered) -> None:
    assert event.customer_id is not None
    routes.on_segment(session, event.customer_id, event.segment_id)


@on(SegmentLeft)
def left(session: Session, event: SegmentLeft) -> None:
    assert event.customer_id is not None
    routes.on_segment(session, event.customer_id, event.segment_id)


@on(ContactAdded)
def recognise(session: Session, event: ContactAdded) -> None:
    assert event.customer_id is not None
    chats.relink(session, event.customer_id)


@on(CustomersMerged)
def follow_merge(session: Session, event: CustomersMerged) -> None:
    assert event.customer_id is not None
    chats.relink(session, event.customer_id, event.from_id)
    routes.reassign(session, event.customer_id)


@on(MergeUndone)
def follow_undoing(session: Session, event: MergeUndone) -> None:
    assert event.customer_id is not None
    chats.relink(session, event.customer_id, event.from_id)
    routes.reassign(session, event.customer_id, event.from_id)
