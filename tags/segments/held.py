"""One leaf's customers as a bitmap of their ids, and what is known to have changed since."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np
from pyroaring import BitMap
from sqlalchemy import Alias, BigInteger, ColumnElement, Select, Table, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql import visitors

from tags.conditions.tree import Asked, Leaf, Tree
from tags.people.finding import meant
from tags.people.models import Customer

FRESH = timedelta(seconds=1)  # by which what time alone changes may be late
MANY = 20_000  # changed customers from which a leaf is found anew
MOST_ID = 2**32  # of a customer: what a bitmap of 32 bits holds


@dataclass(eq=False)
class Held:
    """members: of whom the leaf held at `as_of`, but for who is `dirty` and has to be looked at.

    tables: which the leaf reads, with the key of the changes that concern it (None: all). lost: find it anew.
    flipped: who came and went since somebody took them.
    """

    leaf: Leaf
    tables: Mapping[str, str | None]
    members: BitMap
    as_of: datetime
    dirty: set[int] = field(default_factory=set)
    lost: bool = False
    flipped: BitMap = field(default_factory=BitMap)

    def put(self, customer_id: int, held: bool) -> None:
        """She has it, or not."""
        if (customer_id in self.members) != held:
            (self.members.add if held else self.members.discard)(customer_id)
            self.flipped.add(customer_id)

    def look_at(self, *customer_ids: int) -> None:
        """They may have moved; too many to remember are none to remember."""
        if not self.lost:
            self.dirty.update(customer_ids)
            self.lost = len(self.dirty) > MANY

    def settle(self, session: Session, now: datetime, fresh: timedelta = FRESH) -> None:
        """Look at whom changes or time may have moved, so that the members are those of `now`, give or take `fresh`."""
        if now < self.as_of:  # the clock was set back
            self.lost = True
        asked = _asked(session, now)
        if not self.lost and now - self.as_of >= fresh:
            aged = self.leaf.aged(asked, self.as_of)
            self.look_at(*(_ids(session, aged).tolist() if aged is not None else ()))
            self.as_of = now
        if self.lost:
            self._replace(find(session, self.leaf, now))
            self.as_of, self.lost = now, False
        elif self.dirty:
            looked = BitMap(self.dirty)
            true = BitMap(_ids(session, meant(session, self.leaf, now).where(_any_of(self.dirty))))
            self._replace((self.members - looked) | true)
        self.dirty.clear()

    def _replace(self, members: BitMap) -> None:
        self.flipped |= self.members ^ members
        self.members = members


def find(session: Session, tree: Tree, now: datetime) -> BitMap:
    """Whom a tree means, by asking the tables."""
    found = tree.found(_asked(session, now)) if isinstance(tree, Leaf) else None
    return BitMap(_ids(session, found if found is not None else meant(session, tree, now)))


def name(leaf: Leaf) -> str:
    """What a leaf is held under: those of one JSON are one."""
    return json.dumps(leaf.json(), sort_keys=True, ensure_ascii=False)


def reads(session: Session, leaf: Leaf, now: datetime) -> dict[str, str | None]:
    """The tables a leaf asks, with the key of their changes that concerns it; read off its SQL.

    Each stands under a name of its own there: `customers` itself is only whom it is asked of.
    """
    seen = visitors.iterate(leaf.holds(_asked(session, now)))
    named = {one.element.name for one in seen if isinstance(one, Alias) and isinstance(one.element, Table)}
    narrowed = leaf.narrowed()
    return {table: narrowed.get(table) for table in named}


def _asked(session: Session, now: datetime) -> Asked:
    return Asked(session, Customer.__table__.c.id, now)  # type: ignore[arg-type]


def _any_of(ids: Iterable[int]) -> ColumnElement[bool]:
    return Customer.id == func.any(literal(list(ids), ARRAY(BigInteger)))


def _ids(session: Session, query: Select[int]) -> np.ndarray:
    """The ids a query selects as uint32: packed by the server, since rows of Python would cost ten times as much."""
    rows = query.subquery()
    packed = session.scalar(select(func.string_agg(func.int8send(rows.c[0]), b"")).select_from(rows))
    found = np.frombuffer(packed or b"", dtype=">i8")
    if found.size and int(found.max()) >= MOST_ID:
        raise OverflowError(f"customer {found.max()} does not fit into a bitmap of {MOST_ID} ids")
    return found.astype(np.uint32)
