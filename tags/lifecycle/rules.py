"""Which stage a buyer is in, and when silence alone changes that (T6). Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

Stage = Literal["stranger", "first_buyer", "repeat", "loyal", "at_risk", "lapsed", "won_back"]


@dataclass(frozen=True)
class Bounds:
    """Days of silence until a buyer is at risk and until she has lapsed; orders from which she is loyal."""

    at_risk_days: int
    lapsed_days: int
    loyal_orders: int


@dataclass(frozen=True)
class Buyer:
    """Her orders that count: how many, the last one, and the one before it (aware; None where there is none).

    met: a member has or had her as a contact.
    """

    orders: int
    last_at: datetime
    before_at: datetime | None
    met: bool = True


def stage(buyer: Buyer, bounds: Bounds, now: datetime) -> tuple[Stage, datetime | None]:
    """Her stage, and the moment from which silence makes it another one (None: it does not any more).

    Who is nobody's contact is a stranger however much she buys. Won back is who bought again after she had lapsed,
    until her next order or her next silence.
    """
    if not buyer.met:
        return "stranger", None
    risk_at = buyer.last_at + timedelta(days=bounds.at_risk_days)
    lapse_at = buyer.last_at + timedelta(days=bounds.lapsed_days)
    if now >= lapse_at:
        return "lapsed", None
    if now >= risk_at:
        return "at_risk", lapse_at
    if buyer.before_at is not None and buyer.last_at - buyer.before_at >= timedelta(days=bounds.lapsed_days):
        return "won_back", risk_at
    if buyer.orders == 1:
        return "first_buyer", risk_at
    return ("loyal" if buyer.orders >= bounds.loyal_orders else "repeat"), risk_at
