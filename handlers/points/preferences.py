"""What a brand decides about points; each value's default is domain.md's."""

from datetime import datetime
from decimal import Decimal
from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import after_commit, installation_of
from bot.core.preferences import preference
from handlers.points import rules
from handlers.points.models import StepsRow
from handlers.points.rules import WHOLE_BP, Step


class Value(BaseModel):
    """A part of a value; unknown names are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class EarningStep(Value):
    """From a calendar month's net spend of `from_fen` on, the whole month earns `rate`: "0.015" is 1.5 %."""

    from_fen: Annotated[int, Field(ge=0, le=10**13)]
    rate: Annotated[Decimal, Field(ge=0, le=1, decimal_places=4)]

    @property
    def rule(self) -> Step:
        return Step(self.from_fen, int(self.rate * WHOLE_BP))


class Expiry(Value):
    """Points last `months` months, and then to the end of that month ("month") or of that day ("day")."""

    months: Annotated[int, Field(ge=1, le=120)]
    until_end_of: Literal["month", "day"]


class Caps(Value):
    """The most bonus and habit points of a day and of a calendar month; null: no limit. Base points know no cap."""

    per_day: Annotated[int, Field(ge=0)] | None
    per_month: Annotated[int, Field(ge=0)] | None


def _rising(steps: tuple[EarningStep, ...]) -> tuple[EarningStep, ...]:
    for lower, upper in pairwise(steps):
        if upper.from_fen <= lower.from_fen or upper.rate < lower.rate:
            raise ValueError("expected from_fen to rise from step to step, and rate not to fall")
    return steps


Days = Annotated[int, Field(ge=0, le=366)]

earning_steps = preference(
    "earning_steps",
    Annotated[tuple[EarningStep, ...], Field(max_length=20), AfterValidator(_rising)],
    default=(
        EarningStep(from_fen=10_000, rate=Decimal("0.01")),
        EarningStep(from_fen=30_000, rate=Decimal("0.015")),
        EarningStep(from_fen=50_000, rate=Decimal("0.02")),
    ),
    help="Rates of a calendar month's net spend; months that have begun for a customer keep theirs",
    home=__name__,
)
points_expiry = preference(
    "points_expiry", Expiry, default=Expiry(months=12, until_end_of="month"),
    help="How long points earned from now on last", home=__name__,
)  # fmt: skip
points_pending_days = preference(
    "points_pending_days", Days, default=0,
    help="Days after payment until points can be spent; 0: at once", home=__name__,
)  # fmt: skip
points_grace_days = preference(
    "points_grace_days", Days, default=7,
    help="Days that points given back by a refund last where their lot has ended", home=__name__,
)  # fmt: skip
points_hold_minutes = preference(
    "points_hold_minutes", Annotated[int, Field(ge=1, le=1440)], default=30,
    help="Minutes that points stay held for an order that is not paid", home=__name__,
)  # fmt: skip
multipliers_add_up = preference(
    "multipliers_add_up", bool, default=False,
    help="Whether all multipliers of an order count, or only the highest", home=__name__,
)  # fmt: skip
earning_caps = preference(
    "earning_caps", Caps, default=Caps(per_day=None, per_month=None),
    help="The most bonus points of a day and of a month", home=__name__,
)  # fmt: skip


def lot_end(session: Session, earned_at: datetime) -> datetime:
    """When points earned at that moment end, as the brand decides today (P1)."""
    expiry = points_expiry.of(session)
    zone = installation_of(session).settings.timezone
    return rules.lot_end(earned_at, expiry.months, expiry.until_end_of == "month", zone)


def steps_in_force(session: Session) -> tuple[int, tuple[Step, ...]]:
    """The id of today's earning steps in `points_steps`, and the steps; a table seen for the first time gets a row."""
    steps = tuple(step.rule for step in earning_steps.of(session))
    known = _known(session)
    made_here: dict[int, tuple[Step, ...]] = session.info.setdefault("points_steps", {})
    for steps_id, each in (*known.items(), *made_here.items()):
        if each == steps:
            return steps_id, steps
    kept = [[step.from_fen, step.rate_bp] for step in steps]
    session.execute(insert(StepsRow).values(steps=kept, since=clock.now()).on_conflict_do_nothing())
    made = session.execute(select(StepsRow.id).where(StepsRow.steps == kept)).scalar_one()
    made_here[made] = steps
    after_commit(session, lambda: known.update({made: steps}))
    return made, steps


def steps_of(session: Session, steps_id: int) -> tuple[Step, ...]:
    """The steps a month account was opened with."""
    known = _known(session)
    if steps_id not in known:
        steps = tuple(Step(from_fen, rate_bp) for from_fen, rate_bp in session.get_one(StepsRow, steps_id).steps)
        after_commit(session, lambda: known.update({steps_id: steps}))
        return steps
    return known[steps_id]


def _known(session: Session) -> dict[int, tuple[Step, ...]]:
    """What this process has seen of `points_steps`, whose rows never change; only rows that are committed."""
    known: dict[int, tuple[Step, ...]] = installation_of(session).caches.setdefault("points_steps", {})
    return known
