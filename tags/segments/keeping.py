"""Who comes and who goes: read off the bitmaps, announced once each, and kept (T4).

What is kept in `segment_parts` is who was told to have entered. Whatever differs from who is meant now is still to be
told, so a worker that dies in between leaves nothing to be remembered. Bits and events are one transaction.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

from pyroaring import BitMap
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.events import announce
from bot.core.installation import after_commit, installation_of
from tags.conditions.kept import leaves_of
from tags.conditions.tree import Tree
from tags.people import service as people
from tags.segments import parts, service, snapshots
from tags.segments.events import SegmentEntered, SegmentLeft
from tags.segments.held import Held
from tags.segments.index import EVERYBODY, View, index_of
from tags.segments.models import PART_BITS, Segment

AT_ONCE = 200  # comings and goings in one transaction


@dataclass
class Watched:
    """A segment as this process knows it.

    since: from when its tree is what it is. told: who was told to have entered. open: whose membership is to be looked
    at. seen: the bitmaps that were looked at last. because: by customer, the leaves that turned for her.
    """

    name: str
    since: datetime
    tree: Tree
    told: BitMap
    open: BitMap = field(default_factory=BitMap)
    seen: list[Held] = field(default_factory=list)
    because: dict[int, list[dict[str, Any]]] = field(default_factory=dict)


@dataclass
class Keeper:
    """What this process knows of every segment. position: the `pg_snapshot` up to which it knows who was told."""

    segments: dict[int, Watched] = field(default_factory=dict)
    position: str = ""


@dataclass(frozen=True)
class Move:
    """Somebody comes or goes."""

    customer_id: int
    segment_id: int
    comes: bool


def step(session: Session) -> bool:
    """Tell some of the comings and goings that are due; whether there are more."""
    keeper: Keeper = installation_of(session).caches.setdefault("segments.keeper", Keeper())
    moves = due(session, keeper)
    _tell(session, keeper.segments, moves[:AT_ONCE])
    return len(moves) > AT_ONCE


def due(session: Session, keeper: Keeper) -> list[Move]:
    """Who is to be told of, in every segment. keeper: what this process knew of them, brought up to date."""
    _renew(session, keeper)
    if not keeper.segments:
        return []
    with index_of(installation_of(session)).view() as view:
        return _due(view, keeper.segments)


def write_down(session: Session) -> None:
    """Write down the bitmaps of the leaves in use."""
    with index_of(installation_of(session)).view() as view:
        trees = [service.tree_of(session, one) for one in session.scalars(service.listing())]
        snapshots.keep(
            session, {leaf.known_as: view.held(leaf) for tree in trees for leaf in view.leaves(tree)}, view.position
        )


def _renew(session: Session, keeper: Keeper) -> None:
    watched, was, keeper.position = keeper.segments, keeper.position, parts.position(session)
    rows = session.execute(select(Segment.id, Segment.name, Segment.since).where(Segment.deleted_at.is_(None)))
    now = {segment_id: (called, since) for segment_id, called, since in rows}
    for segment_id in watched.keys() - now.keys():
        del watched[segment_id]
    for segment_id, of_part, members in parts.written(session, was) if watched else ():
        one = watched.get(segment_id)
        if one is not None:
            turned = (one.told & of_part) ^ members
            one.told ^= turned
            one.open |= turned
    for segment_id, (called, since) in now.items():
        if segment_id not in watched or watched[segment_id].since != since:
            tree = service.tree_of(session, service.get(session, segment_id))
            watched[segment_id] = Watched(called, since, tree, parts.told(session, segment_id))
        watched[segment_id].name = called


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
    since = _since(session, {move.segment_id for move in moves})
    moves = [move for move in moves if since.get(move.segment_id) == watched[move.segment_id].since]
    kept = parts.lock(session, {(move.segment_id, move.customer_id >> PART_BITS) for move in moves})
    for move in moves:
        part = kept[move.segment_id, move.customer_id >> PART_BITS]
        if (move.customer_id in part) == move.comes:
            continue  # another worker was faster
        (part.add if move.comes else part.discard)(move.customer_id)
        one = watched[move.segment_id]
        if move.customer_id in standing:  # who was merged into another has not left: she is that other now
            kind = SegmentEntered if move.comes else SegmentLeft
            because = one.because.get(move.customer_id, [])
            moved = kind(customer_id=move.customer_id, segment_id=move.segment_id, segment=one.name, because=because)
            announce(session, moved)
    for (segment_id, number), members in kept.items():
        parts.write(session, segment_id, number, members)
    after_commit(session, lambda: _settle(watched, moves))


def _since(session: Session, segment_ids: Iterable[int]) -> dict[int, datetime]:
    """From when the trees of segments in use are what they are; they stay so until the commit."""
    rows = select(Segment.id, Segment.since).where(Segment.id.in_(segment_ids), Segment.deleted_at.is_(None))
    return dict(session.execute(rows.order_by(Segment.id).with_for_update(read=True)).all())


def _settle(watched: Mapping[int, Watched], moves: Iterable[Move]) -> None:
    for move in moves:
        one = watched.get(move.segment_id)
        if one is not None:
            (one.told.add if move.comes else one.told.discard)(move.customer_id)
            one.open.discard(move.customer_id)
            one.because.pop(move.customer_id, None)
