"""What rules may do with tags: put on, take off (T3)."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault, Problem
from bot.core.i18n import say
from bot.web.api import Ident
from tags.conditions.actions import Action, Fired, action
from tags.conditions.controls import Choice, Control, Option
from tags.conditions.tree import Asked
from tags.conditions.triggers import Effect
from tags.people.names import name_key
from tags.tagging import groups, service
from tags.tagging.events import AboutTag, TagAdded, TagRemoved
from tags.tagging.models import Assignment, Tag, TagGroup


@action(lambda lang: say(lang, "打标签"))
class AddTag(Action, key="add_tag"):
    """She gets a tag; its siblings in a single-choice group go."""

    add_tag: Ident

    def faults(self, session: Session) -> Iterator[Fault]:
        """A tag that is not there, or computed."""
        yield from _faults(session, self.key, self.add_tag)

    def names(self) -> Iterator[tuple[str, str]]:
        """As every action's."""
        yield "tag", self.add_tag

    def effects(self, session: Session) -> Iterator[Effect]:
        """As every action's."""
        tag_id = int(self.add_tag)
        yield _effect(TagAdded, tag_id)
        for sibling in session.scalars(_siblings(tag_id)):
            yield _effect(TagRemoved, sibling)

    def changes(self, asked: Asked) -> ColumnElement[bool]:
        """As every action's."""
        return ~_held(asked, self.add_tag)

    def do(self, session: Session, fired: Fired) -> None:
        """As every action's."""
        service.assign(session, fired.customer_id, [int(self.add_tag)], source=fired.source, why=fired.name)

    def words(self, session: Session, lang: str) -> str:
        """As every action's."""
        return say(lang, "打上「%(tag)s」", tag=_name(session, self.add_tag))

    @classmethod
    def controls(cls, session: Session, lang: str) -> list[Control]:
        """As every action's."""
        return _controls(session, cls.key, lang)


@action(lambda lang: say(lang, "去标签"))
class RemoveTag(Action, key="remove_tag"):
    """She loses a tag."""

    remove_tag: Ident

    def faults(self, session: Session) -> Iterator[Fault]:
        """A tag that is not there, or computed."""
        yield from _faults(session, self.key, self.remove_tag)

    def names(self) -> Iterator[tuple[str, str]]:
        """As every action's."""
        yield "tag", self.remove_tag

    def effects(self, session: Session) -> Iterator[Effect]:
        """As every action's."""
        yield _effect(TagRemoved, int(self.remove_tag))

    def changes(self, asked: Asked) -> ColumnElement[bool]:
        """As every action's."""
        return _held(asked, self.remove_tag)

    def do(self, session: Session, fired: Fired) -> None:
        """As every action's."""
        service.unassign(session, fired.customer_id, [int(self.remove_tag)], source=fired.source, why=fired.name)

    def words(self, session: Session, lang: str) -> str:
        """As every action's."""
        return say(lang, "去掉「%(tag)s」", tag=_name(session, self.remove_tag))

    @classmethod
    def controls(cls, session: Session, lang: str) -> list[Control]:
        """As every action's."""
        return _controls(session, cls.key, lang)


def _controls(session: Session, key: str, lang: str) -> list[Control]:
    options = [
        Option(str(tag.id), tag.name, group.name, name_key(tag.name))
        for group, tags in groups.all_groups(session) if group.kind != "computed" for tag in tags
    ]  # fmt: skip
    return [Choice(key, say(lang, "标签"), False, options)]


def _faults(session: Session, key: str, tag_id: str) -> Iterator[Fault]:
    try:
        service.by_hand(session, int(tag_id))
    except Problem as problem:
        yield Fault(f"/{key}", problem.detail)


def _effect(kind: type[AboutTag], tag_id: int) -> Effect:
    other = TagRemoved if kind is TagAdded else TagAdded
    return Effect(kind.name, (("tag_id", tag_id),), other.name)


def _siblings(tag_id: int) -> Select[int]:
    its = aliased(Tag)
    alone = select(TagGroup.id).join(its, its.group_id == TagGroup.id).where(its.id == tag_id, TagGroup.single_choice)
    return select(Tag.id).where(Tag.group_id.in_(alone), Tag.id != tag_id, Tag.deleted_at.is_(None)).order_by(Tag.id)


def _held(asked: Asked, tag_id: str) -> ColumnElement[bool]:
    held = aliased(Assignment)
    return exists().where(held.customer_id == asked.who, held.tag_id == int(tag_id))


def _name(session: Session, tag_id: str) -> str:
    return session.scalar(select(Tag.name).where(Tag.id == int(tag_id))) or tag_id
