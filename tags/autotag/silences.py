"""Who fell silent: each silence is told once, in the order in which silences began.

A touch of hers moves `seen_at` on, and so begins another silence. Of the customers in the order of (seen_at, id) all up
to where a row of `silences` stands were told of; the row begins where the first rule for so many days is switched on,
so whoever was silent then is not told of. A touch that was made known late counts from when it was.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Select, delete, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce_all
from tags.autotag import current
from tags.autotag.events import CustomerSilent
from tags.autotag.models import Silence
from tags.autotag.triggers import Silent
from tags.people import service as people
from tags.people.models import Customer

AT_ONCE = 200
LAST = 2**63 - 1


def begin(session: Session, days: int) -> None:
    """Tell of silences of so many days from now on, where nobody asked for them yet."""
    row = {"days": days, "reached_at": clock.now() - timedelta(days=days), "reached_id": LAST}
    session.execute(insert(Silence).values(row).on_conflict_do_nothing())


def due(session: Session) -> list[int]:
    """The spans, in days, for which somebody fell silent; those no rule asks for any more are given up."""
    wanted = {one.read.trigger.days for one in current.on(session) if isinstance(one.read.trigger, Silent)}
    session.execute(delete(Silence).where(Silence.days.not_in(wanted)))
    rows = session.scalars(select(Silence).order_by(Silence.days)).all()
    return [row.days for row in rows if session.scalar(_next(row).limit(1)) is not None]


def tell(session: Session, days: int) -> int:
    """Announce the next ones, some at a time; how many were looked at. Locks them."""
    row = session.get(Silence, days, with_for_update=True, populate_existing=True)
    if row is None:
        return 0
    found = session.execute(_next(row).limit(AT_ONCE)).all()
    if not found:
        return 0
    seen: dict[int, datetime] = dict(iter(found))
    locked = people.lock_rows(session, *sorted(seen))
    silent = [one for one in locked if one.merged_into is None and one.seen_at == seen[one.id]]
    announce_all(session, list(_told(silent, days)))
    row.reached_id, row.reached_at = found[-1]
    return len(found)


def _told(customers: Iterable[Customer], days: int) -> Iterable[CustomerSilent]:
    return (CustomerSilent(customer_id=one.id, days=days, since=one.seen_at) for one in customers)


def _next(row: Silence) -> Select[int, datetime]:
    """(id, seen_at) of those behind the row whose silence is long enough now, in order."""
    until = clock.now() - timedelta(days=row.days)
    behind = tuple_(Customer.seen_at, Customer.id) > tuple_(row.reached_at, row.reached_id)
    query = select(Customer.id, Customer.seen_at).where(Customer.merged_into.is_(None), Customer.seen_at <= until)
    return query.where(behind).order_by(Customer.seen_at, Customer.id)
