"""What conditions ask of tags (T4)."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, and_, exists, or_, select
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.i18n import say
from bot.web.api import Ident
from tags.conditions.controls import TAGS, Choice, Figure, Option, Sentence, Shown
from tags.conditions.numbers import Days
from tags.conditions.tree import Asked, Leaf, leaf
from tags.people.models import Customer
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
        hers = held.customer_id == asked.who, held.tag_id == int(self.tag)
        return exists().where(*hers, *self._lasting(held, asked))

    def found(self, asked: Asked) -> Select[int]:
        """As every leaf's: by the tag's own index. The merged keep their rows, which count no more."""
        held, merged = aliased(Assignment), aliased(Customer)
        hers = select(held.customer_id).where(held.tag_id == int(self.tag), *self._lasting(held, asked))
        return hers.where(held.customer_id.not_in(select(merged.id).where(merged.merged_into.is_not(None))))

    def aged(self, asked: Asked, since: datetime) -> Select[int]:
        """As every leaf's."""
        held = aliased(Assignment)
        moved = and_(held.expires_at > since, held.expires_at <= asked.now)
        if self.for_days is not None:
            span = timedelta(days=self.for_days)
            moved = or_(moved, and_(held.at > since - span, held.at <= asked.now - span))
        return select(held.customer_id).where(held.tag_id == int(self.tag), moved)

    @property
    def ages_with(self) -> str | None:
        """As every leaf's: hundreds of tags are asked for, and hardly one expires in a second."""
        return "tag" if self.for_days is None else None

    def stirs(self, asked: Asked, since: datetime) -> Select[Any]:
        """As every leaf's."""
        held = aliased(Assignment)
        return select(held.tag_id).where(held.expires_at > since, held.expires_at <= asked.now)

    def narrowed(self) -> Mapping[str, str]:
        """As every leaf's."""
        return {"tag_assignments": self.tag}

    @property
    def told(self) -> bool:
        """As every leaf's."""
        return self.for_days is None

    def _lasting(self, held: type[Assignment], asked: Asked) -> list[ColumnElement[bool]]:
        so: list[ColumnElement[bool]] = [held.expires_at.is_(None) | (held.expires_at > asked.now)]
        if self.for_days is not None:
            so.append(held.at <= asked.now - timedelta(days=self.for_days))
        return so

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        name = session.scalar(select(Tag.name).where(Tag.id == int(self.tag))) or self.tag
        if self.for_days is None:
            return say(lang, "有标签「%(tag)s」", tag=name)
        return say(lang, "有标签「%(tag)s」已满 %(days)s 天", tag=name, days=self.for_days)
