"""What a value of each type is (C6). Pure.

As JSON: a string, a number, a day `2026-11-24`. As people write it, in a form or a file: the same as text.
"""

from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Literal, TypeAlias

Type = Literal["text", "number", "date", "choice"]
Value: TypeAlias = str | Decimal | date

LONGEST = 500  # characters
MOST = Decimal(10) ** 11  # exclusive; with 4 places a number has 15 digits, which JSON's doubles keep
PLACES = 4
DAYS = ("%Y-%m-%d", "%Y/%m/%d", "%Y.%m.%d")


def of_json(kind: Type, choices: Sequence[str], given: Any) -> Value:
    """The value that JSON gives. Raises ValueError saying what was expected."""
    if kind == "number":
        if isinstance(given, bool) or not isinstance(given, int | float):
            raise ValueError("expected a number")
        return _number(str(given))
    if not isinstance(given, str):
        raise ValueError("expected a day as 2026-11-24" if kind == "date" else "expected a string")
    return of_text(kind, choices, given)


def of_text(kind: Type, choices: Sequence[str], typed: str) -> Value:
    """The value that a person wrote. Raises ValueError saying what was expected."""
    typed = typed.strip()
    if kind == "number":
        return _number(typed.replace(",", "").replace("−", "-"))
    if kind == "date":
        return _day(typed)
    if kind == "choice" and typed not in choices:
        raise ValueError(f"expected one of {', '.join(choices)}")
    if not 1 <= len(typed) <= LONGEST:
        raise ValueError(f"expected 1 to {LONGEST} characters")
    return typed


def as_json(value: Value) -> str | int | float:
    """A value as JSON."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def as_text(value: Value) -> str:
    """A value as people write it."""
    return str(as_json(value))


def _number(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise ValueError("expected a number") from None
    if not found.is_finite() or abs(found) >= MOST:
        raise ValueError(f"expected a number below {MOST:,}")
    if found != round(found, PLACES):
        raise ValueError(f"expected at most {PLACES} decimal places")
    return round(found, PLACES)


def _day(text: str) -> date:
    for form in DAYS:
        try:
            return datetime.strptime(text, form).date()  # noqa: DTZ007  # a day has no zone
        except ValueError:
            continue
    raise ValueError("expected a day as 2026-11-24")
