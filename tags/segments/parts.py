"""Who was told to have entered, as `segment_parts` keeps it: read, followed and written (T4)."""

from collections.abc import Iterable

from pyroaring import BitMap
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.core.sets import run
from tags.segments.models import PART_BITS, SegmentPart

WRITE = """
INSERT INTO segment_parts (segment_id, part, members, xid)
VALUES (%(segment_id)s, %(part)s, %(members)s, pg_current_xact_id()::text::bigint)
ON CONFLICT (segment_id, part) DO UPDATE SET members = excluded.members, xid = excluded.xid RETURNING part
"""
WRITTEN = """
SELECT segment_id, part, members FROM segment_parts
WHERE xid >= pg_snapshot_xmin(%(was)s::pg_snapshot)::text::bigint
    AND NOT pg_visible_in_snapshot(xid::text::xid8, %(was)s::pg_snapshot)
"""


def told(session: Session, segment_id: int) -> BitMap:
    """Who was told to have entered and not to have left."""
    parts = session.scalars(select(SegmentPart.members).where(SegmentPart.segment_id == segment_id))
    return BitMap.union(BitMap(), *map(BitMap.deserialize, parts))


def position(session: Session) -> str:
    """What this transaction sees now, as a `pg_snapshot`."""
    return str(session.scalar(text("SELECT pg_current_snapshot()::text")))


def written(session: Session, was: str) -> list[tuple[int, BitMap, BitMap]]:
    """(segment, ids of the part, its members) of the parts written since a `pg_snapshot`, by any process."""
    return [
        (segment_id, BitMap(range(part << PART_BITS, (part + 1) << PART_BITS)), BitMap.deserialize(members))
        for segment_id, part, members in run(session, WRITTEN, was=was)
    ]


def lock(session: Session, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], BitMap]:
    """The parts (segment, number) as they are, theirs alone until the commit."""
    found: dict[tuple[int, int], BitMap] = {}
    for segment_id, number in sorted(wanted):
        row = session.get(SegmentPart, (segment_id, number), with_for_update=True, populate_existing=True)
        found[segment_id, number] = BitMap.deserialize(row.members) if row is not None else BitMap()
    return found


def write(session: Session, segment_id: int, part: int, members: BitMap) -> None:
    """Keep a part."""
    run(session, WRITE, segment_id=segment_id, part=part, members=members.serialize())
