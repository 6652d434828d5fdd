"""Reading a timeline, and the register of those who tell its events.

@tells("order.paid")
def paid(data: dict[str, Any], lang: str) -> Told:
    return Told("shopping-bag", "buy", say(lang, "下单 %(money)s", money=yuan(data["total_fen"])))
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.events import EventRow
from bot.core.feature import Register
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


Teller = Callable[[dict[str, Any], str], Told]
tellers: Register[tuple[str, Teller]] = Register("tellers")


def tells(event: str) -> Callable[[Teller], Teller]:
    """Mark a function `(data, lang)` that tells events of that name; lang: zh_CN, zh_TW or en.

    data: the event's own, and `staff`, the name of the member its `userid` names.
    """
    return lambda function: tellers.mark(function, (event, function))


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
    called = names(session, {row.data["userid"] for row in rows if "userid" in row.data})
    return [_entry(row, called, lang) for row in rows]


def _entry(row: EventRow, called: Mapping[str, str], lang: str) -> Entry:
    tell = next((teller for name, teller in tellers if name == row.name), None)
    if tell is None:  # of a package that is not installed any more
        return Entry(row.id, row.at, row.name, Told("circle-dot", "", row.name, row.why), row.data)
    told = tell({**row.data, "staff": called.get(row.data.get("userid", ""), "")}, lang)
    return Entry(row.id, row.at, row.name, replace(told, why=told.why or row.why), row.data)
