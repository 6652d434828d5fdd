"""What conditions ask of segments (T4)."""

from collections.abc import Iterator

from sqlalchemy import ColumnElement, false
from sqlalchemy.orm import Session

from bot.core.errors import Fault
from bot.core.i18n import say
from bot.web.api import Ident
from tags.conditions.tree import Asked, Leaf, Tree, leaf, stored
from tags.segments.models import Segment


@leaf
class SegmentLeaf(Leaf, key="segment"):
    """The segment means her."""

    segment: Ident

    def faults(self, session: Session) -> Iterator[Fault]:
        """A segment that is not there."""
        found = session.get(Segment, int(self.segment))
        if found is None or found.deleted_at is not None:
            yield Fault("/segment", f"there is no segment {self.segment}")

    def tree(self, session: Session) -> Tree | None:
        """What the segment asks; None where it is gone, and nobody is meant."""
        found = session.get(Segment, int(self.segment))
        return stored(session, found.where) if found is not None and found.deleted_at is None else None

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        tree = self.tree(asked.session)
        return tree.holds(asked) if tree is not None else false()

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        found = session.get(Segment, int(self.segment))
        return say(lang, "属于客群「%(name)s」", name=found.name if found is not None else self.segment)
