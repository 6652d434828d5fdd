"""Whom a tree means, as pages and API ask: counted, some of them, page by page."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.web import cursors
from tags.conditions.tree import Tree
from tags.people import finding
from tags.people.models import Customer


@dataclass(frozen=True)
class Looked:
    """How many, and some of them drawn at random."""

    count: int
    sample: Sequence[Customer]


def count(session: Session, tree: Tree) -> int:
    """How many customers a tree means now."""
    return session.scalar(select(func.count()).select_from(finding.meant(session, tree).subquery())) or 0


def look(session: Session, tree: Tree, size: int) -> Looked:
    """Count a tree and draw `size` of those it means."""
    drawn = select(Customer).where(Customer.id.in_(finding.meant(session, tree))).order_by(func.random()).limit(size)
    return Looked(count(session, tree), session.scalars(drawn).all())


def page(session: Session, tree: Tree, limit: int, cursor: str | None) -> tuple[list[Customer], str | None]:
    """A page of those a tree means, by id. Raises Unacceptable for a bad cursor."""
    query = select(Customer).where(Customer.id.in_(finding.meant(session, tree)))
    return cursors.page(session, query, (Customer.__table__.c.id,), limit, cursor)
