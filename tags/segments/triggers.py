"""What rules may wait for of segments: entered, left; and how tags lead there (T3, T4)."""

from collections.abc import Iterator
from typing import Annotated, Any

from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.web.api import Ident
from tags.conditions.tree import Group, Tree
from tags.conditions.triggers import Choice, Effect, OneOf, Trigger, chooses, follows, trigger
from tags.segments import service
from tags.segments.events import SegmentEntered, SegmentLeft
from tags.segments.leaves import SegmentLeaf
from tags.segments.models import Segment

ADDED, REMOVED = "tag.added", "tag.removed"


class OneSegment(OneOf):
    """The segment an event is about."""

    def fault(self, session: Session, value: Any) -> str | None:
        found = session.get(Segment, int(value))
        return None if found is not None and found.deleted_at is None else f"there is no segment {value}"


its_segment = OneSegment("segment_id", lambda lang: say(lang, "客群"), "segment")


@trigger(SegmentEntered, lambda lang: say(lang, "进入客群"))
class Entered(Trigger):
    """A segment means her now."""

    segment: Annotated[Ident | None, its_segment] = None


@trigger(SegmentLeft, lambda lang: say(lang, "离开客群"))
class Left(Trigger):
    """A segment means her no longer."""

    segment: Annotated[Ident | None, its_segment] = None


@chooses("segment")
def segments(session: Session, lang: str) -> list[Choice]:
    return [(str(one.id), one.name, "") for one in session.scalars(service.listing().order_by(Segment.name))]


@follows
def moves(session: Session, effect: Effect) -> Iterator[Effect]:
    """The segments which an event may bring her into or take her out of."""
    for segment in session.scalars(service.listing().order_by(Segment.id)):
        signs = set(_signs(session, service.tree_of(session, segment), effect, 1))
        known = (("segment_id", segment.id),)
        if 1 in signs:
            yield Effect(SegmentEntered.name, known, SegmentLeft.name)
        if -1 in signs:
            yield Effect(SegmentLeft.name, known, SegmentEntered.name)


def _signs(session: Session, tree: Tree, effect: Effect, sign: int) -> Iterator[int]:
    """1 for each leaf by which the event may make the tree hold, −1 for each by which it may end that."""
    if isinstance(tree, Group):
        for node in tree.nodes:
            yield from _signs(session, node, effect, -sign if tree.kind == "none" else sign)
        return
    if isinstance(tree, SegmentLeaf) and (inside := tree.stands_for(session)) is not None:
        yield from _signs(session, inside, effect, sign)
        return
    said = tree.json()
    if effect.event in (ADDED, REMOVED) and said.get("tag") == str(effect.said["tag_id"]):
        yield sign if effect.event == ADDED else -sign
    if effect.event in (said.get("event"), said.get("last_event")):
        yield from (sign, -sign)
