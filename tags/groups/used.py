"""Segment groups as users of tags and segments, so that neither is deleted unawares (T4)."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from tags.conditions.kept import Kept, keeps
from tags.conditions.tree import Group
from tags.groups import routes
from tags.groups.models import SegmentGroup


@keeps
def kept(session: Session, lang: str) -> Iterator[Kept]:
    """The bases of the routes of each segment group."""
    open_ones = select(SegmentGroup).where(SegmentGroup.closed_at.is_(None)).order_by(SegmentGroup.id)
    for one in session.scalars(open_ones):
        bases = tuple(routes.basis(route.tag_id, route.segment_id) for route in routes.routes_of(session, one.id))
        called = say(lang, "细分社群「%(name)s」", name=one.name)
        yield Kept(f"segment_group:{one.id}", called, f"/console/groups/{one.id}", Group("any", bases))
