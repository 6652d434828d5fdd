"""What a brand decides about RFM (T5)."""

from itertools import pairwise
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from bot.core.preferences import preference

Score = Annotated[int, Field(ge=2, le=5)]


def _rising(values: tuple[int, ...]) -> tuple[int, ...]:
    if any(upper <= lower for lower, upper in pairwise(values)):
        raise ValueError("expected each value above the one before")
    return values


Four = Annotated[
    tuple[Annotated[int, Field(ge=1, le=10**13)], ...], Field(min_length=4, max_length=4), AfterValidator(_rising)
]


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Quintiles(_Value):
    """Each score is a fifth of the buyers, equal values in the same one."""

    by: Literal["quintiles"]


class Thresholds(_Value):
    """Scores 2 to 5 begin at these values: orders, net fen; score 4 and less begins days after the last order."""

    by: Literal["thresholds"]
    days: Four
    orders: Four
    net_fen: Four


class HighFrom(_Value):
    """The scores from which each of the three counts as high."""

    r: Score
    f: Score
    m: Score


rfm = preference(
    "rfm",
    Annotated[Quintiles | Thresholds, Field(discriminator="by")],
    default=Quintiles(by="quintiles"),
    help="How recency, frequency and monetary are scored 1 to 5: by quintiles of all buyers, or by thresholds: days "
    "since the last order up to which the scores are 5, 4, 3, 2, and orders and net spend from which they are 2 to 5",
    home=__name__,
)
rfm_high_from = preference(
    "rfm_high_from",
    HighFrom,
    default=HighFrom(r=4, f=4, m=4),
    help="Scores from which recency, frequency and monetary count as high; which are high makes the class",
    home=__name__,
)
