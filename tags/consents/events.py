"""What consent announces."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class ConsentChanged(Event, name="consent.changed"):
    """She gave or withdrew her consent to a purpose. how, version: as the statement keeps them."""

    purpose: str
    state: str
    how: str
    version: str
