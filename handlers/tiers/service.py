"""Reading tiers off the table; moving up and down with warnings comes later (P3)."""

from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import installation_of
from bot.core.preferences import preference
from handlers.points.rules import add_months
from handlers.tiers.rules import Standing, Tier, standing
from tags.orders import sums
from tags.people import service as people
from tags.people.cards import facet

PERIOD_MONTHS = 12


class TierStep(BaseModel):
    """A tier and the 12-month net spend from which it is hers."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[str, Field(min_length=1, max_length=20)]
    from_fen: Annotated[int, Field(ge=0, le=10**13)]

    @property
    def rule(self) -> Tier:
        return Tier(self.name, self.from_fen)


def _rising(steps: tuple[TierStep, ...]) -> tuple[TierStep, ...]:
    if steps[0].from_fen != 0:
        raise ValueError("expected the first tier to begin at 0")
    if any(upper.from_fen <= lower.from_fen for lower, upper in pairwise(steps)):
        raise ValueError("expected from_fen to rise from tier to tier")
    if len({step.name for step in steps}) < len(steps):
        raise ValueError("expected each name once")
    return steps


tiers = preference(
    "tiers",
    Annotated[tuple[TierStep, ...], Field(min_length=1, max_length=20), AfterValidator(_rising)],
    default=tuple(
        TierStep(name=name, from_fen=from_fen)
        for name, from_fen in (("普通", 0), ("银卡", 100_000), ("金卡", 300_000), ("钻石", 1_000_000))
    ),
    help="Tiers and the net spend of the last 12 months from which each is reached",
    home=__name__,
)


def tier(session: Session, customer_id: int) -> Standing:
    """Her tier, her net spend of the rolling 12 months, and what is missing for the next. Raises NotFound."""
    survivor = people.survivor(session, customer_id)
    return _standings(session, [survivor])[survivor]


@facet("tier")
def names(session: Session, customer_ids: Sequence[int]) -> dict[int, str]:
    """The tiers' names of many survivors."""
    return {one: found.tier for one, found in _standings(session, customer_ids).items()}


def _standings(session: Session, customer_ids: Sequence[int]) -> dict[int, Standing]:
    spent = sums.net_since(session, customer_ids, period_start(session, clock.now()))
    table = [step.rule for step in tiers.of(session)]
    return {one: standing(spent.get(one, 0), table) for one in customer_ids}


def period_start(session: Session, now: datetime) -> datetime:
    """The same local time of day, 12 months before `now` (G2)."""
    local = now.astimezone(installation_of(session).settings.timezone)
    return datetime.combine(add_months(local.date(), -PERIOD_MONTHS), local.timetz())
