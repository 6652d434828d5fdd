"""Segments in memory: a bitmap of customers for each leaf, kept by the tail of what triggers note (T4).

    index = index_of(installation)
    index.count(tree) · index.members(tree) · with index.view() as view: view.of(tree, among)

Before each answer the changes that became visible since the last one are read, whoever made them, and looked at where
the tree's leaves ask; so an answer is that of SQL at that moment. Everything a leaf says is in its SQL: which tables it
reads, and how time moves it, so that a leaf of another package is held like ours. One process answers one at a time.
"""

import threading
import time
from collections import OrderedDict, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from pyroaring import BitMap
from sqlalchemy import ColumnElement, text, true
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import Installation
from bot.core.sets import run
from tags.conditions.kept import leaves_of, spelled_out
from tags.conditions.tree import Asked, Group, Leaf, Tree
from tags.segments import snapshots
from tags.segments.held import FRESH, Held, Stirred, find, reads

MOST_HELD = 1000  # leaves; of a million customers one is 125 KB at most
FORGOTTEN_AFTER = 6 * 3600.0  # seconds without a question, well before the changes themselves are thrown away

CHANGES = """
SELECT l.home, l.key, l.held, l.customer_id, c.survivor_id
FROM membership_changes l LEFT JOIN customers c ON c.id = l.customer_id
WHERE l.xid >= pg_snapshot_xmin(%(was)s::pg_snapshot)::text::bigint
    AND NOT pg_visible_in_snapshot(l.xid::text::xid8, %(was)s::pg_snapshot)
ORDER BY l.id LIMIT %(most)s
"""
SPARSE = 4_096  # members up to which a bitmap is a list, so that what is asked among them costs less than of all
MOST_CHANGES = 200_000  # read at once; behind more of them everything is found anew
Change = tuple[str, str, bool | None, int | None, int | None]


class Everybody(Leaf, key="everybody"):
    """Every customer that stands on her own; not a leaf of trees."""

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        return true()


EVERYBODY = Everybody()


class Index:
    """The bitmaps of one process."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation
        self._lock = threading.Lock()
        self._held: OrderedDict[str, Held] = OrderedDict()
        self._position, self._asked_at = "", 0.0

    def count(self, tree: Tree) -> int:
        """How many customers a tree means."""
        with self.view() as view:
            return len(view.of(tree))

    def members(self, tree: Tree) -> BitMap:
        """The ids of whom a tree means."""
        with self.view() as view:
            return BitMap(view.of(tree))  # a copy: the bitmap of a leaf goes on changing

    @contextmanager
    def view(self, *, exact: bool = False) -> Iterator["View"]:
        """Everything as of one moment, for several questions. exact: what time moves, to the microsecond."""
        with self._lock, self._installation.moment() as session:
            self._catch_up(session)
            yield View(self, session, clock.now(), timedelta() if exact else FRESH, self._position)

    def held(self, session: Session, leaf: Leaf, now: datetime, fresh: timedelta, stirred: Stirred) -> Held:
        """The leaf's bitmap, settled; of a new one it is loaded from its snapshot, or found."""
        called = leaf.known_as
        held = self._held.get(called)
        if held is None:
            held = self._held[called] = self._load(session, leaf, called, now)
            if len(self._held) > MOST_HELD:
                self._held.popitem(last=False)
        self._held.move_to_end(called)
        held.settle(session, now, fresh, stirred)
        return held

    def _load(self, session: Session, leaf: Leaf, called: str, now: datetime) -> Held:
        tables = {"customers": None} if leaf is EVERYBODY else reads(session, leaf, now)
        kept = snapshots.load(session, called)
        changes = _changes(session, kept.position) if kept is not None else None
        if kept is None or changes is None:
            return Held(leaf, tables, find(session, leaf, now), now)
        held = Held(leaf, tables, kept.members, kept.as_of)
        _note(changes, [held])
        return held

    def _catch_up(self, session: Session) -> None:
        position = session.scalar(text("SELECT pg_current_snapshot()::text"))
        if time.monotonic() - self._asked_at > FORGOTTEN_AFTER:
            self._held.clear()
        changes = _changes(session, self._position) if self._held else []
        if changes is None:
            self._held.clear()
        elif changes:
            if any(home == "preferences" for home, *_ in changes):
                self._installation.caches.pop("preferences", None)
            _note(changes, list(self._held.values()))
        self._position, self._asked_at = position, time.monotonic()


class View:
    """The index at one moment. position: the `pg_snapshot` in which it is seen."""

    def __init__(self, index: Index, session: Session, now: datetime, fresh: timedelta, position: str) -> None:
        self._index, self._fresh = index, fresh
        self.session, self.now, self.position = session, now, position
        self._settled: dict[int, Held] = {}
        self._stirred: Stirred = {}
        self._asked: dict[int, Leaf] = {}

    def held(self, leaf: Leaf) -> Held:
        """A leaf's bitmap as of the moment."""
        held = self._settled.get(id(leaf))
        if held is None:
            held = self._index.held(self.session, leaf, self.now, self._fresh, self._stirred)
            self._settled[id(leaf)], self._asked[id(leaf)] = held, leaf  # kept, so that its id stays its own
        return held

    @property
    def everybody(self) -> BitMap:
        """Every customer that stands on her own."""
        return self.held(EVERYBODY).members

    def of(self, tree: Tree, among: BitMap | None = None) -> BitMap:
        """Whom a tree means, among all or those given."""
        return self._of(self.spelled_out(tree), among)

    def spelled_out(self, tree: Tree) -> Tree:
        """The tree down to leaves that have bitmaps."""
        return spelled_out(self.session, tree)

    def leaves(self, tree: Tree) -> Iterator[Leaf]:
        """The leaves a tree comes down to."""
        return leaves_of(self.spelled_out(tree))

    def _of(self, tree: Tree, among: BitMap | None) -> BitMap:
        if isinstance(tree, Leaf):
            members = self.held(tree).members
            return members if among is None else among & members
        if tree.kind == "all":
            return self._all(tree.nodes, among)
        few = among is not None and len(among) <= SPARSE
        found = [self._of(node, among if few else None) for node in tree.nodes]
        one = found[0] if len(found) == 1 else BitMap.union(*found)
        if tree.kind == "any":
            return one if few or among is None else among & one
        return (self.everybody if among is None else among & self.everybody) - one

    def _all(self, nodes: Sequence[Tree], among: BitMap | None) -> BitMap:
        """What must not be comes last: it is taken off what is left, instead of off everybody."""
        for node in sorted(nodes, key=_is_none):
            if _is_none(node) and isinstance(node, Group) and among is not None:
                for not_this in node.nodes:
                    among = among - self._of(not_this, None if isinstance(not_this, Leaf) else among)
            else:
                among = self._of(node, among)
        return self.everybody if among is None else among


def _is_none(tree: Tree) -> bool:
    return isinstance(tree, Group) and tree.kind == "none"


def index_of(installation: Installation) -> Index:
    """The index of this process."""
    made: Index = installation.caches.setdefault("segments", Index(installation))
    return made


def _changes(session: Session, position: str) -> list[Change] | None:
    """What became visible since a `pg_snapshot`; None where that is too much to read."""
    found: list[Change] = run(session, CHANGES, was=position, most=MOST_CHANGES)
    return found if len(found) < MOST_CHANGES else None


def _note(changes: list[Change], among: list[Held]) -> None:
    """Let each bitmap know what concerns it, in the order in which it was written.

    Who is made, merged or stands on her own again concerns all: of her, everything may be so or not.
    """
    concerned: dict[tuple[str, str | None], list[Held]] = defaultdict(list)
    for held in among:
        for table, key in held.tables.items():
            concerned[table, key].append(held)
    for home, key, has, customer_id, survivor_id in changes:
        if home == "preferences":
            for held in among:
                held.lost = True
            continue
        anybodys = home == "customers" and key != ""
        others = [held for held in among if anybodys and (key == "merged" or not held.leaf.told)]
        for held in (*concerned[home, key], *concerned[home, None], *others):
            if customer_id is None:
                held.lost = True
            elif has is not None and survivor_id is None and held.leaf.told:
                held.put(customer_id, has)
            else:
                held.look_at(customer_id, survivor_id or customer_id)
