"""Segments in records and on the timeline."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.operators.called import called, numbers
from tags.segments.events import SegmentEntered, SegmentLeft
from tags.segments.models import Segment
from tags.timeline.service import Told, calls, tells


@called("segment")
def names(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(Segment.id, Segment.name).where(Segment.id.in_(numbers(ids))))
    return {str(its_id): say(lang, "客群「%(name)s」", name=name) for its_id, name in found}


@tells("segment.entered")
def entered(data: dict[str, Any], lang: str) -> Told:
    return Told("filter", "", say(lang, "进入客群「%(name)s」", name=data["segment"]))


@tells("segment.left")
def left(data: dict[str, Any], lang: str) -> Told:
    return Told("filter", "", say(lang, "离开客群「%(name)s」", name=data["segment"]))


@calls(SegmentEntered)
def segment_entered(lang: str) -> str:
    return say(lang, "进入客群")


@calls(SegmentLeft)
def segment_left(lang: str) -> str:
    return say(lang, "离开客群")
