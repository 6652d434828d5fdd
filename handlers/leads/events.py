"""What leads announce."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class LeadHandedOut(Event, name="lead.handed_out"):
    """A member is to add her until `due_at` (aware UTC)."""

    userid: str
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class LeadEnded(Event, name="lead.ended"):
    """The member's turn is over. result: added, refused, no_answer, returned or expired.."""

    userid: str
    result: str
    note: str
