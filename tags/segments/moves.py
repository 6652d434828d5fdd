"""How segments changed lately: who came and who went, from the events (T4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import EventRow
from tags.segments.events import SegmentEntered, SegmentLeft

DAYS = 7


@dataclass(frozen=True)
class Moved:
    """How many entered and left in the last `DAYS` × 24 h."""

    entered: int = 0
    left: int = 0


def moved(session: Session, segment_ids: Sequence[int]) -> dict[int, Moved]:
    """What happened to these segments; those to which nothing did are not in it."""
    which = EventRow.data["segment_id"].as_integer()
    counted = (
        select(which, EventRow.name, func.count())
        .where(EventRow.name.in_((SegmentEntered.name, SegmentLeft.name)), which.in_(segment_ids))
        .where(EventRow.at > clock.now() - timedelta(days=DAYS))
        .group_by(which, EventRow.name)
    )
    found: dict[int, dict[str, int]] = {}
    for segment_id, name, count in session.execute(counted):
        found.setdefault(segment_id, {})[name] = count
    return {
        its_id: Moved(each.get(SegmentEntered.name, 0), each.get(SegmentLeft.name, 0)) for its_id, each in found.items()
    }
