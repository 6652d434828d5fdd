"""Numbers and spans inside leaves: `{"gte": 2}`, `within_days`."""

import operator
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Self

from pydantic import Field, Strict, model_validator
from sqlalchemy import BigInteger, ColumnElement, and_, literal

from bot.web.api import Body, Whole

MOST = 10**15
COMPARED: Mapping[str, Callable[[Any, Any], Any]] = {
    "gte": operator.ge, "gt": operator.gt, "lte": operator.le, "lt": operator.lt, "eq": operator.eq,
}  # fmt: skip
SIGNS = {"gte": "≥", "gt": ">", "lte": "≤", "lt": "<", "eq": "="}

Days = Annotated[Whole, Field(ge=1, le=3660, description="N × 24 h back from now")]
Number = Annotated[Whole, Field(ge=-MOST, le=MOST)]
Measure = Number | Annotated[float, Strict(), Field(ge=-MOST, le=MOST)]


class Compare(Body):
    """What a number has to be: one or more of gte, gt, lte, lt, eq, all of which hold."""

    gte: Number | None = None
    gt: Number | None = None
    lte: Number | None = None
    lt: Number | None = None
    eq: Number | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.bounds():
            raise ValueError(f"expected at least one of {', '.join(SIGNS)}")
        return self

    def bounds(self) -> list[tuple[str, float]]:
        """The comparisons asked for, by name."""
        return [(name, value) for name, value in self if value is not None]

    def so(self, number: float) -> bool:
        """Whether a number at hand is so."""
        return all(COMPARED[name](number, value) for name, value in self.bounds())

    def of(self, number: ColumnElement[Any]) -> ColumnElement[bool]:
        """Whether `number` is so. A count is an integer to PostgreSQL, and what it is compared with may be larger."""
        wide = [
            (name, literal(value, BigInteger) if isinstance(value, int) else value) for name, value in self.bounds()
        ]
        return and_(*[COMPARED[name](number, value) for name, value in wide])

    def words(self, divide_by: int = 1) -> str:
        """`≥ 2`, `≥ 2 < 5`; divide_by: 100 shows fen as yuan."""
        return " ".join(f"{SIGNS[name]} {_shown(value, divide_by)}" for name, value in self.bounds())


class CompareMeasure(Compare):
    """The same of a number that need not be whole."""

    gte: Measure | None = None  # type: ignore[assignment]  # wider than what it overrides
    gt: Measure | None = None  # type: ignore[assignment]
    lte: Measure | None = None  # type: ignore[assignment]
    lt: Measure | None = None  # type: ignore[assignment]
    eq: Measure | None = None  # type: ignore[assignment]


def _shown(value: float, divide_by: int) -> str:
    return f"{value / divide_by:,.2f}".rstrip("0").rstrip(".") if divide_by > 1 else f"{value:,}"
