"""What can be imported: a register of kinds, each with its fields and what it does with a chunk of rows.

@importer("orders", _l("订单"), permission="orders:write", ...)
def take(session: Session, batch: Batch) -> Outcome: ...
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from bot.core.feature import Register
from tags.imports.reasons import Reason
from tags.imports.values import Reader

Column = list[Any]  # a value a row, None where the cell is empty or was not read


@dataclass(frozen=True)
class Field:
    """One thing a column may be. headings: what files call it beside `key` and `label`, separated by ` / `.

    example: for the template.
    """

    key: str
    label: Any
    headings: str
    read: Reader
    example: str = ""


@dataclass
class Batch:
    """Some rows of a file, read. rows: their numbers as a spreadsheet counts them; columns: of the mapped fields.

    rejected: by place in `rows`, those that can't be taken; heads: what the file calls a field. source: what the rows
    are kept as having come from.
    """

    import_id: int
    source: str
    rows: Sequence[int]
    columns: dict[str, Column]
    heads: dict[str, str]
    rejected: dict[int, Reason]
    shape: Any = None

    def column(self, key: str) -> Column:
        """The values of a field, None in all rows where no column is mapped to it."""
        if key not in self.columns:
            self.columns[key] = [None] * len(self.rows)
        return self.columns[key]

    def reject(self, at: int, because: Reason) -> None:
        """Reject the row at a place of `rows`; the first reason stays."""
        self.rejected.setdefault(at, because)

    def reject_all(self, places: Iterable[int], because: Reason) -> None:
        """Reject the rows at these places."""
        for at in places:
            self.reject(at, because)

    @property
    def good(self) -> list[int]:
        """The places of rows not rejected so far."""
        return [at for at in range(len(self.rows)) if at not in self.rejected]


@dataclass
class Outcome:
    """What became of the rows of a batch that were not rejected, counted in rows.

    customers: whom they were about, where that makes a list.
    """

    new: int = 0
    same: int = 0
    changed: int = 0
    customers: set[int] = field(default_factory=set)


Take = Callable[[Session, Batch], Outcome]
Fields = Callable[[Session], Sequence[Field]]


@dataclass(frozen=True)
class Kind:
    """needed: of each group of fields at least one must be mapped. together: adjacent rows with one value of it are one
    thing, and are given to `take` in one batch. shape: what is made of a batch before, without the database.
    """

    name: str
    label: Any
    permission: str
    fields: Fields
    needed: tuple[tuple[str, ...], ...]
    take: Take
    together: str = ""
    shape: Callable[[Batch], Any] | None = None


kinds: Register[Kind] = Register("importers")


def importer(
    name: str, label: Any, *, permission: str, fields: Fields, needed: tuple[tuple[str, ...], ...], together: str = "",
    shape: Callable[[Batch], Any] | None = None,
) -> Callable[[Take], Take]:  # fmt: skip
    """Mark a function that takes in a batch; it rejects rows on the batch and says what became of the others."""
    return lambda take: kinds.mark(take, Kind(name, label, permission, fields, needed, take, together, shape))


def of_name(name: str) -> Kind:
    """Raises KeyError."""
    try:
        return next(one for one in kinds if one.name == name)
    except StopIteration:
        raise KeyError(name) from None


UNIT = re.compile(r"[(\[【](?!分[)\]】]|fen[)\]】]).*?[)\]】]")  # fen are a field of their own


def guess(heads: Sequence[str], fields: Iterable[Field]) -> dict[str, int]:
    """Which column each field probably is, by its heading; each column once."""
    names = [_bare(head) for head in heads]
    found: dict[str, int] = {}
    for one in fields:
        known = {_bare(each) for each in (one.key, str(one.label), *one.headings.split(" / "))}
        at = next((n for n, name in enumerate(names) if name in known and n not in found.values()), None)
        if at is not None:
            found[one.key] = at
    return found


def missing(kind: Kind, mapping: Iterable[str]) -> list[tuple[str, ...]]:
    """The groups of needed fields of which none is mapped."""
    return [group for group in kind.needed if not set(group) & set(mapping)]


def _bare(heading: str) -> str:
    return re.sub(r"[\s_\-:：*]", "", UNIT.sub("", unicodedata.normalize("NFKC", heading))).casefold()
