"""What happens by the clock and is announced for rules."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CustomerSilent(Event, name="customer.silent"):
    """Nothing came from her for `days` × 24 h; told once a silence. since: her last touch, aware UTC."""

    days: int
    since: datetime


@dataclass(frozen=True, kw_only=True)
class ScheduleCame(Event, name="schedule"):
    """A rule's hour has come and its condition holds for her. rule: its name then; due_at: that hour, aware UTC."""

    rule_id: int
    rule: str
    due_at: datetime
