"""What conditions ask of segments (T4)."""

from collections.abc import Iterator
from datetime import timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, false, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Fault
from bot.core.i18n import say
from bot.web.api import Ident
from tags.conditions.controls import TAGS, Choice, Figure, Option, Sentence, Shown
from tags.conditions.numbers import Days
from tags.conditions.tree import Asked, Group, Leaf, Tree, leaf, stored
from tags.people.names import name_key
from tags.segments.events import SegmentEntered
from tags.segments.models import Segment
from tags.timeline.leaves import EventLeaf


def options(session: Session) -> list[Option]:
    """The segments in use."""
    found = session.scalars(select(Segment).where(Segment.deleted_at.is_(None)).order_by(Segment.id.desc()))
    return [Option(str(one.id), one.name, letters=name_key(one.name)) for one in found]


@leaf
class SegmentLeaf(Leaf, key="segment"):
    """The segment means her; for_days: for at least N × 24 h without a break, as one and the same tree."""

    segment: Ident
    for_days: Days | None = None
    shown = Shown(
        _l("客群"), TAGS,
        Sentence(
            _l("属于 {segment} 已满 {for_days} 天"),
            Choice("segment", _l("客群"), options=options), Figure("for_days", _l("天数"), optional=True),
        ),
    )  # fmt: skip

    def faults(self, session: Session) -> Iterator[Fault]:
        """A segment that is not there."""
        found = session.get(Segment, int(self.segment))
        if found is None or found.deleted_at is not None:
            yield Fault("/segment", f"there is no segment {self.segment}", _l("这个客群已经没有了"))

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        tree = self.stands_for(asked.session)
        return tree.holds(asked) if tree is not None else false()

    def stands_for(self, session: Session) -> Tree | None:
        """As every leaf's: who is in it and has not entered lately. None where it is gone, or younger than that."""
        found = session.get(Segment, int(self.segment))
        if found is None or found.deleted_at is not None:
            return None
        tree = stored(session, found.where)
        if self.for_days is None:
            return tree
        if found.since > clock.now() - timedelta(days=self.for_days):
            return None
        entered = EventLeaf(event=SegmentEntered.name, within_days=self.for_days, where={"segment_id": self.segment})
        return Group("all", (tree, Group("none", (entered,))))

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        found = session.get(Segment, int(self.segment))
        said = say(lang, "属于客群「%(name)s」", name=found.name if found is not None else self.segment)
        return say(lang, "%(said)s已满 %(days)s 天", said=said, days=self.for_days) if self.for_days else said
