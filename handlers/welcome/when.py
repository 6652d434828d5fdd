"""When a rule applies, as the API has it."""

from datetime import time
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from bot.web.api import Body, Ident
from handlers.welcome import rules
from tags.people.staff import Userid

Clock = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["21:00"])]
Weekday = Annotated[int, Field(ge=1, le=7)]


class HoursBody(Body):
    """From a time of day until another, in the brand's zone; past midnight where `until` is the earlier one."""

    start: Clock = Field(alias="from")
    until: Clock

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.start == self.until:
            raise ValueError(
                "from and until are the same, expected two times of day; leave hours out for the whole day"
            )
        return self


class WhenBody(Body):
    """All that is named has to be so. weekdays: 1 Monday to 7 Sunday; a slot past midnight belongs to its first day."""

    live_code_id: Ident | None = None
    staff: Annotated[list[Userid], Field(min_length=1, max_length=100)] | None = None
    customer: Literal["new", "returning", "lapsed"] | None = None
    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)] | None = None
    hours: HoursBody | None = None


def of_row(kept: dict[str, Any]) -> rules.When:
    """A kept `when` as the rules take it."""
    body = WhenBody.model_validate(kept)
    hours = (
        rules.Hours(time.fromisoformat(body.hours.start), time.fromisoformat(body.hours.until)) if body.hours else None
    )
    return rules.When(
        live_code_id=int(body.live_code_id) if body.live_code_id else None, staff=tuple(body.staff or ()),
        customer=body.customer, weekdays=tuple(body.weekdays or ()), hours=hours,
    )  # fmt: skip
