"""What rules may wait for of group chats, and what they may do with segment groups (T3, T7)."""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from flask_babel import lazy_gettext as _l
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.errors import Conflict, Fault
from bot.core.i18n import say
from bot.operators.called import called
from bot.web.api import Ident
from tags.conditions.actions import Action, Fired, action
from tags.conditions.controls import Choice as Picked
from tags.conditions.controls import Control, Option
from tags.conditions.triggers import Choice, OneOf, Trigger, chooses, trigger
from tags.groups import lists, routes
from tags.groups.events import GroupJoined, GroupLeft
from tags.groups.models import GroupChat, SegmentGroup

ChatId = Annotated[str, Field(min_length=1, max_length=64)]
Chats = Annotated[list[ChatId], Field(min_length=1, max_length=100)]


class OneChat(OneOf):
    """The group chat an event is about."""

    def fault(self, session: Session, value: Any) -> str | None:
        known = set(session.scalars(select(GroupChat.chat_id).where(GroupChat.chat_id.in_(value))))
        unknown = [one for one in value if one not in known]
        return f"there is no group chat {unknown[0]}" if unknown else None


its_chat = OneChat("chat_id", lambda lang: say(lang, "群"), "group_chat")


@trigger(GroupJoined, lambda lang: say(lang, "进群"))
class Joined(Trigger):
    """She is in a group chat now."""

    chats: Annotated[Chats | None, its_chat] = None


@trigger(GroupLeft, lambda lang: say(lang, "退群"))
class Left(Trigger):
    """She is in a group chat no more."""

    chats: Annotated[Chats | None, its_chat] = None


@action(lambda lang: say(lang, "分流到细分社群"))
class RouteToGroup(Action, key="route_to_group"):
    """A segment group looks which of its routes is hers, and invites her where it has not yet."""

    route_to_group: Ident

    def faults(self, session: Session) -> Iterator[Fault]:
        """A segment group that is not there, or closed."""
        found = session.get(SegmentGroup, int(self.route_to_group))
        if found is None or found.closed_at is not None:
            yield Fault(
                "/route_to_group",
                f"there is no open segment group {self.route_to_group}",
                _l("这个细分社群已经停用或没有了"),
            )

    def do(self, session: Session, fired: Fired) -> None:
        """As every action's. Raises Conflict where she has none of the tags it routes by."""
        group_id = int(self.route_to_group)
        if not routes.lead(session, fired.customer_id, group_id):
            raise Conflict(f"she has none of the tags that segment group {group_id} routes by")

    def words(self, session: Session, lang: str) -> str:
        """As every action's."""
        found = session.get(SegmentGroup, int(self.route_to_group))
        return say(lang, "分流到细分社群「%(group)s」", group=found.name if found else self.route_to_group)

    @classmethod
    def controls(cls, session: Session, lang: str) -> list[Control]:
        """As every action's."""
        options = [Option(value, label) for value, label, _ in segment_groups(session, lang)]
        return [Picked(cls.key, say(lang, "细分社群"), False, options)]


@called("group_chat")
def chat_names(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    return lists.names(session, ids)


@chooses("group_chat")
def chats(session: Session, lang: str) -> list[Choice]:
    found = session.scalars(select(GroupChat).order_by(GroupChat.name, GroupChat.chat_id))
    return [(one.chat_id, one.name or one.chat_id, "") for one in found]


def segment_groups(session: Session, lang: str) -> list[Choice]:
    """The open ones."""
    open_ = select(SegmentGroup).where(SegmentGroup.closed_at.is_(None)).order_by(SegmentGroup.id)
    return [(str(one.id), one.name, "") for one in session.scalars(open_)]
