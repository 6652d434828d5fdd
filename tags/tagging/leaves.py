"""What conditions ask of tags (T4)."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.i18n import say
from bot.web.api import Ident
from tags.conditions.controls import TAGS, Choice, Figure, Option, Sentence, Shown
from tags.conditions.numbers import Days
from tags.conditions.tree import Asked, Leaf, leaf
from tags.people.names import name_key
from tags.tagging import groups
from tags.tagging.models import Assignment, Tag


def options(session: Session) -> list[Option]:
    """Every tag, with its group and the letters it is found by."""
    return [
        Option(str(tag.id), tag.name, group.name, name_key(tag.name))
        for group, tags in groups.all_groups(session)
        for tag in tags
    ]


@leaf
class TagLeaf(Leaf, key="tag"):
    """She has the tag; for_days: for at least N × 24 h without a break."""

    tag: Ident
    for_days: Days | None = None
    shown = Shown(
        _l("标签"), TAGS,
        Sentence(
            _l("有 {tag} 已满 {for_days} 天"),
            Choice("tag", _l("标签"), options=options), Figure("for_days", _l("天数"), optional=True),
        ),
    )  # fmt: skip

    def faults(self, session: Session) -> Iterator[Fault]:
        """A tag that is not there."""
        if session.scalar(select(Tag.id).where(Tag.id == int(self.tag), Tag.deleted_at.is_(None))) is None:
            yield Fault("/tag", f"there is no tag {self.tag}", _l("这个标签已经没有了"))

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's. What has expired counts no more, even before the sweep."""
        held = aliased(Assignment)
        lasting = held.expires_at.is_(None) | (held.expires_at > asked.now)
        asks = exists().where(held.customer_id == asked.who, held.tag_id == int(self.tag), lasting)
        return asks if self.for_days is None else asks.where(held.at <= asked.now - timedelta(days=self.for_days))

    def aged(self, asked: Asked, since: datetime) -> Select[int]:
        """As every leaf's."""
        held = aliased(Assignment)
        moved = and_(held.expires_at > since, held.expires_at <= asked.now)
        if self.for_days is not None:
            span = timedelta(days=self.for_days)
            moved = or_(moved, and_(held.at > since - span, held.at <= asked.now - span))
        return select(held.customer_id).where(held.tag_id == int(self.tag), moved)

    def narrowed(self) -> Mapping[str, str]:
        """As every leaf's."""
        return {"tag_assignments": self.tag}

    @property
    def told(self) -> bool:
        """As every leaf's."""
        return self.for_days is None

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        name = session.scalar(select(Tag.name).where(Tag.id == int(self.tag))) or self.tag
        if self.for_days is None:
            return say(lang, "有标签「%(tag)s」", tag=name)
        return say(lang, "有标签「%(tag)s」已满 %(days)s 天", tag=name, days=self.for_days)
