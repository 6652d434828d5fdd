"""What conditions ask of group chats (T4)."""

from collections.abc import Iterator, Mapping

from sqlalchemy import ColumnElement, exists
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.i18n import say
from tags.conditions.tree import Asked, Leaf, leaf
from tags.groups.models import GroupChat, GroupMember


@leaf
class GroupChatLeaf(Leaf, key="group_chat"):
    """She is in the group chat."""

    group_chat: str

    def faults(self, session: Session) -> Iterator[Fault]:
        """A group chat that is not known."""
        if session.get(GroupChat, self.group_chat) is None:
            yield Fault("/group_chat", f"there is no group chat {self.group_chat}")

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
