"""The customer list: everybody who stands on her own, newest touch first, narrowed by what features know.

@narrows("tag")
def tagged(session: Session, query: Customers, value: str) -> Customers: ...
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.feature import Register
from bot.web import cursors
from bot.web.language import spoken
from tags.conditions.compact import unpack
from tags.conditions.numbers import Compare
from tags.conditions.tree import Asked, Tree, parse
from tags.people.models import Customer, Identity
from tags.people.names import name_key
from tags.people.phones import normalised
from tags.people.service import identity_value

Customers = Select[Customer]
Narrow = Callable[[Session, Customers, str], Customers]
filters: Register[tuple[str, Narrow]] = Register("customer filters")

TAIL = 4  # digits of a phone that are enough to ask for


def narrows(name: str) -> Callable[[Narrow], Narrow]:
    """Mark a function `(session, query, value)` that keeps the customers for whom filter `name` has `value`."""
    return lambda function: filters.mark(function, (name, function))


def page(
    session: Session, *, q: str = "", wanted: Mapping[str, str], limit: int, cursor: str | None
) -> tuple[list[Customer], str | None]:
    """A page of customers and the cursor of the next one. q: a name, its pinyin or initials, a phone or its last four.

    wanted: values by filter name, as features registered them. Raises Unacceptable for a bad cursor or value.
    """
    columns = Customer.__table__.c
    found = _found(session, q, wanted)
    return cursors.page(session, found, (columns.seen_at, columns.id), limit, cursor, desc=True)


def count(session: Session, *, q: str = "", wanted: Mapping[str, str]) -> int:
    """How many customers `page` gives in all."""
    counted = _found(session, q, wanted).with_only_columns(func.count(), maintain_column_froms=True)
    return int(session.scalar(counted) or 0)


def _found(session: Session, q: str, wanted: Mapping[str, str]) -> Customers:
    query: Customers = select(Customer).where(Customer.merged_into.is_(None))
    if q.strip():
        query = query.where(_matches(session, q.strip()))
    for name, narrow in filters:
        if name in wanted:
            query = narrow(session, query, wanted[name])
    return query


@narrows("where")
def meeting(session: Session, query: Customers, value: str) -> Customers:
    """Those a tree in an address means."""
    tree = parse(session, unpack(value, "/where"), "/where")
    return query.where(Customer.id.in_(meant(session, tree)))


def asked(session: Session, packed: str) -> str:
    """A tree in an address, in words of the page's language; "" for none."""
    return parse(session, unpack(packed, "/where"), "/where").words(session, spoken()) if packed else ""


def meant(session: Session, tree: Tree, now: datetime | None = None) -> Select[int]:
    """The ids of the customers a condition tree means at `now` (aware; the present one where none is given)."""
    ids: Column[int] = Customer.__table__.c.id  # type: ignore[assignment]
    return select(ids).where(Customer.merged_into.is_(None), tree.holds(Asked(session, ids, now or clock.now())))


def totalled(totals: Select[*tuple[Any, ...]], *so: Compare | None) -> Select[int]:
    """The ids of those whose sums are `so`. totals: a survivor's id and her sums, of those who have any.

    Whoever is not among them has 0 of each. None: of that sum nothing is asked.
    """
    sums = totals.subquery()
    asked = [(compare, sums.c[n]) for n, compare in enumerate(so, 1) if compare is not None]
    if not all(compare.so(0) for compare, _ in asked):
        return select(sums.c[0]).where(*[compare.of(column) for compare, column in asked])
    everybody = select(Customer.id).outerjoin(sums, sums.c[0] == Customer.id).where(Customer.merged_into.is_(None))
    return everybody.where(*[compare.of(func.coalesce(column, 0)) for compare, column in asked])


def is_meant(session: Session, tree: Tree, customer_id: int) -> bool:
    """Whether a condition tree means her (a survivor)."""
    return session.scalar(meant(session, tree).where(Customer.id == customer_id)) is not None


def _matches(session: Session, q: str) -> ColumnElement[bool]:
    sound = name_key(q).partition(" ")[0]
    ways: list[ColumnElement[bool]] = [
        Customer.name.contains(q, autoescape=True),
        Customer.name_key.startswith(sound, autoescape=True),
        Customer.name_key.contains(f" {sound}", autoescape=True),
    ]
    digits = "".join(filter(str.isdigit, q))
    if len(digits) == TAIL:
        ways.append(Customer.phone_tail == digits)
    if len(digits) > TAIL:
        ways.append(_has_phone(session, q))
    return or_(*ways)


def _has_phone(session: Session, text: str) -> ColumnElement[bool]:
    try:
        value = identity_value(session, "phone", normalised(text))
    except ValueError:
        value = ""
    return exists().where(Identity.customer_id == Customer.id, Identity.kind == "phone", Identity.value == value)
