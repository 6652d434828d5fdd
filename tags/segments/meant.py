"""Whom a tree means, as pages and API ask: counted, some of them, page by page."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from pyroaring import BitMap
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.installation import installation_of
from bot.web import cursors
from tags.conditions.counting import means
from tags.conditions.tree import Tree
from tags.people.models import Customer
from tags.segments.index import index_of


@dataclass(frozen=True)
class Looked:
    """How many, and some of them drawn at random."""

    count: int
    sample: Sequence[Customer]


def count(session: Session, tree: Tree) -> int:
    """How many customers a tree means, of what is committed."""
    return index_of(installation_of(session)).count(tree)


def members(session: Session, tree: Tree) -> BitMap:
    """The ids of whom a tree means, of what is committed."""
    return index_of(installation_of(session)).members(tree)


def look(session: Session, tree: Tree, size: int) -> Looked:
    """Count a tree and draw `size` of those it means."""
    found = members(session, tree)
    ids = [found[n] for n in random.sample(range(len(found)), min(size, len(found)))]
    return Looked(len(found), session.scalars(select(Customer).where(Customer.id.in_(ids))).all())


@means
def of_each(session: Session, trees: Sequence[Tree]) -> Sequence[BitMap]:
    """Whom each of some trees means, all as of one moment."""
    with index_of(installation_of(session)).view() as view:
        return [BitMap(view.of(tree)) for tree in trees]


def page(session: Session, tree: Tree, limit: int, cursor: str | None) -> tuple[list[Customer], str | None]:
    """A page of those a tree means, by id. Raises Unacceptable for a bad cursor."""
    order = (Customer.__table__.c.id,)
    after = cursors.read(cursor, order)[0] if cursor is not None else 0
    ids = list(islice(members(session, tree).iter_equal_or_larger(after + 1), limit + 1))
    return cursors.page(session, select(Customer).where(Customer.id.in_(ids)), order, limit, cursor)


def those_with(session: Session, trees: Sequence[Tree], customer_id: int) -> list[bool]:
    """Which of some trees mean her (a survivor)."""
    with index_of(installation_of(session)).view() as view:
        return [customer_id in view.of(tree, BitMap([customer_id])) for tree in trees]
