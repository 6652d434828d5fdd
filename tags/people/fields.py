"""The fields of a customer that conditions and changes name: ours, and those a brand defines, which plug in here.

@finds_field
def own(session: Session, key: str) -> Askable | None: ...

@writes_fields
def write(session: Session, customer_id: int, values: Mapping[str, Any]) -> tuple[Values, Values]: ...   # before, after
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from bot.core.errors import Unacceptable
from bot.core.feature import Register
from bot.core.i18n import say
from tags.conditions.tree import Asked
from tags.people.models import Customer

TEXT_WAYS = ("is", "in", "exists")
OURS = ("gender", "city", "language", "name", "birthday", "phone")

Values = dict[str, Any]
Tied = tuple[ColumnElement[Any], tuple[ColumnElement[bool], ...]]


@dataclass(frozen=True)
class Askable:
    """called: its name, by language. ways: how `FieldLeaf` may ask it. choices: what it may be, empty for anything.

    known: the column of her value, and what ties the column's row to `asked.who` and says that the value is there.
    """

    called: Callable[[str], str]
    ways: tuple[str, ...]
    known: Callable[[Asked], Tied]
    choices: tuple[str, ...] = ()


Find = Callable[[Session, str], Askable | None]
Write = Callable[[Session, int, Mapping[str, Any]], tuple[Values, Values]]
finders: Register[Find] = Register("finders of fields")
writers: Register[Write] = Register("writers of fields")
listers: Register[Callable[[Session], Iterable[str]]] = Register("lists of fields")


def finds_field(function: Find) -> Find:
    """Mark a function that knows fields by their keys."""
    return finders.mark(function, function)


def lists_fields(function: Callable[[Session], Iterable[str]]) -> Callable[[Session], Iterable[str]]:
    """Mark a function that gives the keys of the fields it knows."""
    return listers.mark(function, function)


def writes_fields(function: Write) -> Write:
    """Mark a function that sets fields of a locked customer and answers those that changed, before and after, as JSON.

    It raises Unacceptable with pointers below `/fields`.
    """
    return writers.mark(function, function)


def find(session: Session, key: str) -> Askable | None:
    """The field of this key, None where there is none."""
    if key in OURS:
        return _ours(key)
    return next((found for one in finders if (found := one(session, key)) is not None), None)


def every(session: Session) -> Iterator[tuple[str, Askable]]:
    """All fields with their keys, ours first."""
    keys = [*OURS, *(key for one in listers for key in one(session))]
    return ((key, found) for key in keys if (found := find(session, key)) is not None)


def write(session: Session, customer_id: int, values: Mapping[str, Any]) -> tuple[Values, Values]:
    """Set fields that a brand defined; those that changed, before and after. Raises Unacceptable (422)."""
    if not values:
        return {}, {}
    for one in writers:
        return one(session, customer_id, values)
    key = next(iter(values))
    raise Unacceptable.at(f"/fields/{key}", f"there is no field {key}")


def _ours(key: str) -> Askable:
    ways = TEXT_WAYS if key not in ("birthday", "phone") else ("exists", "month") if key == "birthday" else ("exists",)

    def known(asked: Asked) -> Tied:
        her = Customer.__table__.alias("her")
        column: ColumnElement[Any] = her.c[key]
        return column, (her.c.id == asked.who, column != "" if "is" in ways else column.is_not(None))

    return Askable(lambda lang: _called(key, lang), ways, known)


def _called(key: str, lang: str) -> str:
    return {
        "gender": say(lang, "性别"), "city": say(lang, "城市"), "language": say(lang, "语言"),
        "name": say(lang, "姓名"), "birthday": say(lang, "生日"), "phone": say(lang, "手机号"),
    }[key]  # fmt: skip
