"""What rules may wait for of tags: put on, taken off (T3)."""

from typing import Annotated, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.web.api import Ident
from tags.conditions.triggers import Choice, OneOf, Trigger, chooses, trigger
from tags.tagging import groups
from tags.tagging.events import TagAdded, TagRemoved
from tags.tagging.models import Tag


class OneTag(OneOf):
    """The tag an event is about."""

    def fault(self, session: Session, value: Any) -> str | None:
        alive = session.scalar(select(Tag.id).where(Tag.id == int(value), Tag.deleted_at.is_(None)))
        return None if alive is not None else f"there is no tag {value}"


its_tag = OneTag("tag_id", lambda lang: say(lang, "标签"), "tag")


@trigger(TagAdded, lambda lang: say(lang, "打上标签"))
class Added(Trigger):
    """She got a tag, whoever or whatever put it on; without `tag`, any."""

    tag: Annotated[Ident | None, its_tag] = None


@trigger(TagRemoved, lambda lang: say(lang, "去掉标签"))
class Removed(Trigger):
    """She lost a tag; without `tag`, any."""

    tag: Annotated[Ident | None, its_tag] = None


@chooses("tag")
def tags(session: Session, lang: str) -> list[Choice]:
    return [(str(tag.id), tag.name, group.name) for group, its in groups.all_groups(session) for tag in its]
