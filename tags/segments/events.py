"""What segments announce."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class SegmentEntered(Event, name="segment.entered"):
    """The segment means her now. segment: its name then."""

    segment_id: int
    segment: str


@dataclass(frozen=True, kw_only=True)
class SegmentLeft(Event, name="segment.left"):
    """The segment means her no longer. segment: its name then."""

    segment_id: int
    segment: str
