"""What a brand decides about the lifecycle (T6)."""

from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from bot.core.preferences import preference
from tags.lifecycle.rules import Bounds

Days = Annotated[int, Field(ge=1, le=3660)]


class Lifecycle(BaseModel):
    """Days without an order after which a buyer is at risk, then lapsed; orders from which she is loyal."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_risk_days: Days
    lapsed_days: Days
    loyal_orders: Annotated[int, Field(ge=2, le=1000)]

    @model_validator(mode="after")
    def _rising(self) -> Self:
        if self.lapsed_days <= self.at_risk_days:
            raise ValueError("expected lapsed_days above at_risk_days")
        return self

    @property
    def bounds(self) -> Bounds:
        return Bounds(self.at_risk_days, self.lapsed_days, self.loyal_orders)


lifecycle = preference(
    "lifecycle",
    Lifecycle,
    default=Lifecycle(at_risk_days=90, lapsed_days=180, loyal_orders=4),
    help="Days without an order after which a buyer is at risk (at_risk_days) and has lapsed (lapsed_days); orders "
    "from which she is loyal",
    home=__name__,
)
