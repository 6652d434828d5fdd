"""What segments announce."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class SegmentEntered(Event, name="segment.entered"):
    """The segment means her now. segment: its name then. because: the leaves that turned, as JSON."""

    segment_id: int
    segment: str
    because: Sequence[Any] = ()


@dataclass(frozen=True, kw_only=True)
class SegmentLeft(Event, name="segment.left"):
    """The segment means her no longer. segment: its name then. because: the leaves that turned, as JSON."""

    segment_id: int
    segment: str
    because: Sequence[Any] = ()
