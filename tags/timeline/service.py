"""Reading a timeline, and the register of those who tell its events.

@tells("order.paid")
def paid(data: dict[str, Any], lang: str) -> Told:
    return Told("shopping-bag", "buy", say(lang, "下单 %(money)s", money=yuan(data["total_fen"])))
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.events import Event, EventRow
from bot.core.feature import Register
from bot.operators import called
from bot.web import cursors
from tags.people.service import family
from tags.people.staff import names


@dataclass(frozen=True)
class Told:
    """icon: a name of the sprite. tone: buy, point, msg, alert or empty. text: one sentence. why: its reason."""

    icon: str
    tone: str
    text: str
    why: str = ""


@dataclass(frozen=True)
class Entry:
    """One event of a timeline, told. event: its name, as in the contract; data: its facts."""

    id: int
    at: datetime
    event: str
    told: Told
    data: dict[str, Any]


# What an event's data names by id: the field, and the kind of thing it names ("" where it says so itself).
NAMED = {"source": "", "state": "state:", "from_id": "customer:", "missed": "tag:", "fields": "field:"}

Teller = Callable[[dict[str, Any], str], Told]
Called = Callable[[str], str]
tellers: Register[tuple[str, Teller]] = Register("tellers")
askable: Register[tuple[type[Event], Called]] = Register("events conditions may ask for")


def tells(event: str) -> Callable[[Teller], Teller]:
    """Mark a function `(data, lang)` that tells events of that name; lang: zh_CN, zh_TW or en.

    data: the event's own; `staff`, the name of the member its `userid` names; and `called`, what the things of `NAMED`
    in it are called, by `kind:id`.
    """
    return lambda function: tellers.mark(function, (event, function))


def calls(kind: type[Event]) -> Callable[[Called], Called]:
    """Mark a function `(lang)` that says what rules and conditions call events of `kind`; others can't be asked for."""
    return lambda function: askable.mark(function, (kind, function))


def page(
    session: Session, customer_id: int, lang: str, *, limit: int, cursor: str | None = None,
    newest_first: bool = False, events: Iterable[str] = (),
) -> tuple[list[Entry], str | None]:  # fmt: skip
    """A page of what happened with her and all merged into her, oldest first, and the cursor of the next page.

    events: of these names only. Raises NotFound, Unacceptable for a cursor of another list.
    """
    query = select(EventRow).where(EventRow.customer_id.in_(family(session, customer_id)))
    wanted = list(events)
    if wanted:
        query = query.where(EventRow.name.in_(wanted))
    order = (EventRow.__table__.c.at, EventRow.__table__.c.id)
    rows, following = cursors.page(session, query, order, limit, cursor, desc=newest_first)
    return entries(session, rows, lang), following


def entries(session: Session, rows: Sequence[EventRow], lang: str) -> list[Entry]:
    """Events told, in their order."""
    staff = names(session, {row.data["userid"] for row in rows if "userid" in row.data})
    things = called.names(session, {thing for row in rows for thing in _named(row)}, lang)
    return [_entry(row, staff, things, lang) for row in rows]


def _named(row: EventRow) -> Iterator[str]:
    yield row.actor
    for field, kind in NAMED.items():
        value = row.data.get(field) or ()
        yield from (f"{kind}{one}" for one in (value if isinstance(value, list) else [value] if value else []))


def _entry(row: EventRow, staff: Mapping[str, str], things: Mapping[str, str], lang: str) -> Entry:
    tell = next((teller for name, teller in tellers if name == row.name), None)
    if tell is None:  # of a package that is not installed any more
        return Entry(row.id, row.at, row.name, Told("circle-dot", "", row.name, row.why), row.data)
    told = tell(
        {**row.data, "staff": staff.get(row.data.get("userid", ""), ""), "called": things, "because": row.why}, lang
    )
    return Entry(row.id, row.at, row.name, replace(told, why=_why(row, told, things)), row.data)


def _why(row: EventRow, told: Told, things: Mapping[str, str]) -> str:
    """The reason, and who did it where that was a person at the console, or nothing else is known (G4)."""
    why, who = told.why or row.why, things.get(row.actor, "")
    by_hand = row.actor.startswith("operator:") and who not in why
    return " · ".join(filter(None, (why, who if by_hand or not why else "")))
