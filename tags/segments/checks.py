"""Invariants of segments."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from pyroaring import BitMap
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.checks import check
from bot.core.installation import installation_of
from tags.segments import parts, service
from tags.segments.held import find
from tags.segments.index import index_of
from tags.segments.models import MembershipChange

SHOWN = 5
LATELY = timedelta(minutes=1)  # whom something happened to since may not have been told yet


@check("segments: the bitmaps mean whom SQL means")
def counted(session: Session) -> Iterable[str]:
    for segment in session.scalars(service.listing()):
        with index_of(installation_of(session)).view(exact=True) as view:
            tree = service.tree_of(view.session, segment)
            differing = view.of(tree) ^ find(view.session, tree, view.now)
        yield from _said(segment.id, differing, "are members in one and not in the other")


@check("segments: whoever is a member was told to have entered")
def told(session: Session) -> Iterable[str]:
    since = datetime.now(UTC) - LATELY
    lately = select(MembershipChange.customer_id).where(MembershipChange.at > since)
    moving = BitMap(one for one in session.scalars(lately) if one is not None)
    for segment in session.scalars(service.listing()):
        members = index_of(installation_of(session)).members(service.tree_of(session, segment))
        differing = (members ^ parts.told(session, segment.id)) - moving
        yield from _said(segment.id, differing, "are members and were not told, or the other way round")


def _said(segment_id: int, differing: BitMap, how: str) -> Iterable[str]:
    if differing:
        yield f"segment {segment_id}: {len(differing)} customers {how}, such as {list(differing[:SHOWN])}"
