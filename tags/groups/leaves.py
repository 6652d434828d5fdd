"""What conditions ask of group chats (T4)."""

from collections.abc import Iterator, Mapping

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.i18n import say
from tags.conditions.controls import DID, Choice, Option, Sentence, Shown
from tags.conditions.tree import Asked, Leaf, leaf
from tags.groups.models import GroupChat, GroupMember
from tags.people.names import name_key


def options(session: Session) -> list[Option]:
    """The group chats there are."""
    chats = session.scalars(select(GroupChat).where(GroupChat.dismissed_at.is_(None)).order_by(GroupChat.chat_id))
    return [Option(one.chat_id, one.name or one.chat_id, letters=name_key(one.name)) for one in chats]


@leaf
class GroupChatLeaf(Leaf, key="group_chat"):
    """She is in the group chat."""

    group_chat: str
    shown = Shown(
        _l("客户群"), DID, Sentence(_l("在群 {group_chat} 里"), Choice("group_chat", _l("客户群"), options=options))
    )

    def faults(self, session: Session) -> Iterator[Fault]:
        """A group chat that is not known."""
        if session.get(GroupChat, self.group_chat) is None:
            yield Fault("/group_chat", f"there is no group chat {self.group_chat}", _l("这个客户群已经没有了"))

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        member = aliased(GroupMember)
        hers = member.customer_id == asked.who, member.chat_id == self.group_chat, member.left_at.is_(None)
        return exists().where(*hers)

    def narrowed(self) -> Mapping[str, str]:
        """As every leaf's."""
        return {"group_members": self.group_chat}

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        chat = session.get(GroupChat, self.group_chat)
        return say(lang, "在群「%(group)s」里", group=chat.name if chat and chat.name else self.group_chat)
