"""What leads announce."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class LeadHandedOut(Event, name="lead.handed_out"):
    """A member is to add her until `due_at` (RFC 3339)."""

    userid: str
    due_at: str


@dataclass(frozen=True, kw_only=True)
class LeadEnded(Event, name="lead.ended"):
    """The member's turn is over. result: added, refused, no_answer, returned or expired.."""

    userid: str
    result: str
    note: str
