"""Who comes and who goes: read off the bitmaps, announced once each, and kept (T4).

What is kept in `segment_parts` is who was told to have entered. Whatever differs from who is meant now is still to be
told, so a worker that dies in between leaves nothing to be remembered. Bits and events are one transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from pyroaring import BitMap
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core.events import announce
from bot.core.installation import after_commit, installation_of
from tags.conditions.kept import leaves_of
from tags.conditions.tree import Tree
from tags.people import service as people
from tags.segments import service, snapshots
from tags.segments.events import SegmentEntered, SegmentLeft
from tags.segments.held import Held, name
from tags.segments.index import EVERYBODY, View, index_of
from tags.segments.models import PART_BITS, Segment, SegmentPart

AT_ONCE = 200  # comings and goings in one transaction


@dataclass
class Watched:
    """A segment as this process knows it.

    told: who was told to have entered. open: whose membership is to be looked at. seen: the bitmaps that were looked
    at last. because: by customer, the leaves that turned for her.
    """

    name: str
    version: int
    tree: Tree
    told: BitMap
    open: BitMap = field(default_factory=BitMap)
    seen: list[Held] = field(default_factory=list)
    because: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass(frozen=True)
class Move:
    """Somebody comes or goes."""

    customer_id: int
    segment_id: int
    comes: bool


def step(session: Session) -> bool:
    """Tell some of the comings and goings that are due; whether there are more."""
    watched: dict[int, Watched] = installation_of(session).caches.setdefault("segments.watched", {})
    moves = due(session, watched)
    _tell(session, watched, moves[:AT_ONCE])
    return len(moves) > AT_ONCE


def due(session: Session, watched: dict[int, Watched]) -> list[Move]:
    """Who is to be told of, in every segment. watched: what this process knew of them, brought up to date."""
    _renew(session, watched)
    if not watched:
        return []
    with index_of(installation_of(session)).view() as view:
        return _due(view, watched)


def write_down(session: Session) -> None:
    """Write down the bitmaps of the leaves in use."""
    with index_of(installation_of(session)).view() as view:
        trees = [service.tree_of(session, one) for one in session.scalars(service.listing())]
        snapshots.keep(
            session, {name(leaf): view.held(leaf) for tree in trees for leaf in view.leaves(tree)}, view.position
        )


def told(session: Session, segment_id: int) -> BitMap:
    """Who was told to have entered and not to have left."""
    parts = session.scalars(select(SegmentPart.members).where(SegmentPart.segment_id == segment_id))
    return BitMap.union(BitMap(), *map(BitMap.deserialize, parts))


def _renew(session: Session, watched: dict[int, Watched]) -> None:
    versions = dict(session.execute(select(Segment.id, Segment.version).where(Segment.deleted_at.is_(None))).all())
    for segment_id in watched.keys() - versions.keys():
        del watched[segment_id]
    for segment_id, version in versions.items():
        if segment_id not in watched or watched[segment_id].version != version:
            found = service.get(session, segment_id)
            tree = service.tree_of(session, found)
            watched[segment_id] = Watched(found.name, version, tree, told(session, segment_id))


def _due(view: View, watched: Mapping[int, Watched]) -> list[Move]:
    """Who is to be told, of those whose leaves have turned since the last look, and those left over from then."""
    used: dict[int, Held] = {}
    moves: list[Move] = []
    for segment_id, one in watched.items():
        tree = view.spelled_out(one.tree)
        seen = [view.held(leaf) for leaf in (EVERYBODY, *leaves_of(tree))]
        used.update((id(held), held) for held in seen)
        turned = [held for held in seen if held.flipped]
        if seen != one.seen:
            one.open, one.seen = view.everybody | one.told, seen
        elif turned:
            one.open |= BitMap.union(*(held.flipped for held in turned))
        if one.open:
            moves += islice(_of_one(view, segment_id, one, tree, turned), AT_ONCE + 1)
    for held in used.values():
        held.flipped = BitMap()
    return moves


def _of_one(view: View, segment_id: int, one: Watched, tree: Tree, turned: Iterable[Held]) -> Iterable[Move]:
    meant = view.of(tree, one.open)
    come, gone = meant - one.told, (one.told & one.open) - meant
    one.open = come | gone
    for held in turned:
        said = held.leaf.json()
        for customer_id in held.flipped & one.open if said else ():  # everybody says nothing
            one.because.setdefault(customer_id, []).append(said)
    yield from (Move(customer_id, segment_id, True) for customer_id in come)
    yield from (Move(customer_id, segment_id, False) for customer_id in gone)


def _tell(session: Session, watched: Mapping[int, Watched], moves: list[Move]) -> None:
    if not moves:
        return
    locked = people.lock_rows(session, *{move.customer_id for move in moves})
    standing = {one.id for one in locked if one.merged_into is None}
    wanted = {(move.segment_id, move.customer_id >> PART_BITS) for move in moves}
    parts = _parts(session, wanted)
    for move in moves:
        part = parts[move.segment_id, move.customer_id >> PART_BITS]
        if (move.customer_id in part) == move.comes:
            continue  # another worker was faster
        (part.add if move.comes else part.discard)(move.customer_id)
        one = watched[move.segment_id]
        if move.customer_id in standing:  # who was merged into another has not left: she is that other now
            kind = SegmentEntered if move.comes else SegmentLeft
            because = one.because.get(move.customer_id, [])
            moved = kind(customer_id=move.customer_id, segment_id=move.segment_id, segment=one.name, because=because)
            announce(session, moved)
    for (segment_id, number), members in parts.items():
        row = insert(SegmentPart).values(segment_id=segment_id, part=number, members=members.serialize())
        update = {"members": row.excluded.members}
        session.execute(row.on_conflict_do_update(index_elements=["segment_id", "part"], set_=update))
    after_commit(session, lambda: _settle(watched, moves))


def _parts(session: Session, wanted: Iterable[tuple[int, int]]) -> dict[tuple[int, int], BitMap]:
    """The parts as they are, theirs alone until the commit."""
    found: dict[tuple[int, int], BitMap] = {}
    for segment_id, number in sorted(wanted):
        row = session.get(SegmentPart, (segment_id, number), with_for_update=True, populate_existing=True)
        found[segment_id, number] = BitMap.deserialize(row.members) if row is not None else BitMap()
    return found


def _settle(watched: Mapping[int, Watched], moves: Iterable[Move]) -> None:
    for move in moves:
        one = watched.get(move.segment_id)
        if one is not None:
            (one.told.add if move.comes else one.told.discard)(move.customer_id)
            one.open.discard(move.customer_id)
            one.because.pop(move.customer_id, None)
