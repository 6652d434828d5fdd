"""One leaf's customers as a bitmap of their ids, and what is known to have changed since."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import numpy as np
from pyroaring import BitMap
from sqlalchemy import Alias, BigInteger, ColumnElement, Select, Table, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql import visitors

from tags.conditions.tree import Asked, Leaf, Often, Tree
from tags.people.finding import meant
from tags.people.models import Customer

FRESH = timedelta(seconds=1)  # by which what time alone changes may be late
MANY = 20_000  # changed customers from which a leaf is found anew
MOST_ID = 2**32  # of a customer: what a bitmap of 32 bits holds
Stirred = dict[tuple[str, datetime], bool]  # by `Leaf.ages_with` and since when: whether anything has aged


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

    def settle(self, session: Session, now: datetime, fresh: timedelta, stirred: Stirred) -> None:
        """Look at whom changes or time may have moved, so that the members are those of `now`, give or take `fresh`.

        stirred: what leaves that age with it were told.
        """
        if now < self.as_of:  # the clock was set back
            self.lost = True
        asked = _asked(session, now)
        if not self.lost and now - self.as_of >= fresh:
            aged = self.leaf.aged(asked, self.as_of) if self._stirs(asked, stirred) else None
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

    def _stirs(self, asked: Asked, stirred: Stirred) -> bool:
        """Whether in the time since `as_of` anything has aged that leaves like this ask for."""
        if self.leaf.ages_with is None:
            return True
        kind = self.leaf.ages_with, self.as_of
        if kind not in stirred:
            moved = self.leaf.stirs(asked, self.as_of).limit(1)
            stirred[kind] = asked.session.execute(moved).first() is not None
        return stirred[kind]

    def _replace(self, members: BitMap) -> None:
        self.flipped |= self.members ^ members
        self.members = members


def find(session: Session, tree: Tree, now: datetime) -> BitMap:
    """Whom a tree means, by asking the tables."""
    found = tree.found(_asked(session, now)) if isinstance(tree, Leaf) else None
    if isinstance(found, Often):
        return BitMap(_often(session, found))
    return BitMap(_ids(session, found if found is not None else meant(session, tree, now)))


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


def _often(session: Session, asked: Often) -> np.ndarray:
    """The ids of those who have as many things, counted here: PostgreSQL would sort what it counts each of once."""
    ids, things = _columns(session, asked.pairs)
    _, firsts = np.unique(things, return_index=True)
    many = np.bincount(ids[firsts])
    so = np.array([asked.times.so(number) for number in range(int(many.max(initial=0)) + 1)])
    return np.flatnonzero(so[many]).astype(np.uint32)


def _ids(session: Session, query: Select[int]) -> np.ndarray:
    """The ids a query selects, as uint32."""
    [found] = _columns(session, query)
    return found.astype(np.uint32)


def _columns(session: Session, query: Select[*tuple[Any, ...]]) -> list[np.ndarray]:
    """What a query selects, ids first: packed by the server, since rows of Python would cost ten times as much."""
    rows = query.subquery()
    packed = [func.string_agg(func.int8send(column), b"") for column in rows.c]
    found = session.execute(select(*packed).select_from(rows)).one()
    columns = [np.frombuffer(one or b"", dtype=">i8").astype(np.int64) for one in found]
    if int(columns[0].max(initial=0)) >= MOST_ID:
        raise OverflowError(f"customer {columns[0].max()} does not fit into a bitmap of {MOST_ID} ids")
    return columns
