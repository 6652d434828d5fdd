"""What a brand decides of its leads."""

from typing import Annotated

from pydantic import AfterValidator, Field

from bot.core.preferences import preference
from handlers.messaging import placeholders

MOST_WORDS = 600  # bytes, with the longest placeholders


def _words(text: str) -> str:
    return placeholders.check(text, MOST_WORDS)


lead_daily_cap = preference(
    "lead_daily_cap", Annotated[int, Field(ge=1, le=500)], default=20, home=__name__,
    help="Leads one member gets at most on a calendar day of the brand.",
)  # fmt: skip
lead_days = preference(
    "lead_days", Annotated[int, Field(ge=1, le=60)], default=3, home=__name__,
    help="Days a member has to add a lead before she goes back to the pool.",
)  # fmt: skip
lead_rest_days = preference(
    "lead_rest_days", Annotated[int, Field(ge=0, le=365)], default=7, home=__name__,
    help="Days a lead who did not answer rests before she is handed out again.",
)  # fmt: skip
lead_words = preference(
    "lead_words", Annotated[str, Field(min_length=1, max_length=200), AfterValidator(_words)], home=__name__,
    default="您好，我是{员工}。您在我们这里买过东西，加个微信，售后和会员积分我来帮您看。",
    help="What a member writes when he adds a lead; takes the placeholders of messages.",
)  # fmt: skip
