"""What binding announces."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CustomerBound(Event, name="customer.bound"):
    """Orders were tied to her. how: phone or order. orders: how many; points: the reward, 0 where there was none."""

    how: str
    orders: int
    points: int
