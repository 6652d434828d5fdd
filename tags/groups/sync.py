"""The full pull of group chats."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import Installation
from bot.wecom.client import WeCom
from bot.wecom.errors import Refused
from bot.wecom.pulls import Report, pulls
from tags.groups import chats
from tags.groups.models import GroupChat
from tags.people.models import SyncCursor

ACTOR, PLACE = "sync", "group chats"
OWNERS_A_CALL = 100  # wecom.md §3.9


@pulls("group chats", rank=30)
def group_chats(installation: Installation, wecom: WeCom, report: Report) -> int:
    """Every group of every member with customers, and those known that WeCom no longer lists; returns how many it read.

    A run that was broken off goes on with the groups that were not read since it began.
    """
    with installation.transaction(ACTOR) as session:
        begun = _begun(session)
    ids = list(listed(wecom))
    with installation.transaction(ACTOR) as session:
        chats.know(session, *ids)
        todo = list(session.scalars(_unread_since(begun)))
    for done, chat_id in enumerate(todo, 1):
        _pull(installation, wecom, chat_id)
        report(done, len(todo))
    with installation.transaction(ACTOR) as session:
        session.execute(delete(SyncCursor).where(SyncCursor.what == PLACE))
    return len(todo)


def _pull(installation: Installation, wecom: WeCom, chat_id: str) -> None:
    at = clock.now()
    try:
        reading = chats.of_get(wecom.contact.groupchat_get(chat_id), at)
    except Refused as error:
        if error.errcode not in chats.GONE:
            raise
        with installation.transaction(ACTOR) as session:
            chats.dismissed(session, chat_id, at)
        return
    with installation.transaction(ACTOR) as session:
        chats.take(session, reading)


def listed(wecom: WeCom) -> Iterator[str]:
    """The ids of every group of every member with customers."""
    owners = wecom.contact.get_follow_user_list()
    for first in range(0, len(owners), OWNERS_A_CALL):
        for row in wecom.contact.groupchat_list(owners[first : first + OWNERS_A_CALL]):
            yield str(row["chat_id"])


def _unread_since(begun: datetime) -> Select[str]:
    """Living groups not read since then."""
    unread = GroupChat.read_at.is_(None) | (GroupChat.read_at < begun)
    return select(GroupChat.chat_id).where(unread, GroupChat.dismissed_at.is_(None)).order_by(GroupChat.chat_id)


def _begun(session: Session) -> datetime:
    """When the pull began that was broken off, or now."""
    new = {"what": PLACE, "done": {"begun": clock.now().isoformat()}, "at": clock.now()}
    session.execute(insert(SyncCursor).values(new).on_conflict_do_nothing())
    return datetime.fromisoformat(session.get_one(SyncCursor, PLACE).done["begun"])
