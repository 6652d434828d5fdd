"""The customer list: everybody who stands on her own, newest touch first, narrowed by what features know.

@narrows("waiting")
def waiting(session: Session, query: Customers, value: str) -> Customers: ...      # what no condition asks
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Column, ColumnElement, Select, exists, func, or_, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.feature import Register
from bot.web import cursors
from bot.web.language import spoken
from tags.conditions import counting
from tags.conditions.compact import unpack
from tags.conditions.numbers import Compare
from tags.conditions.tree import Asked, Group, Tree, leaves, stored
from tags.people.models import Customer, Identity
from tags.people.names import name_key
from tags.people.phones import normalised
from tags.people.service import identity_value

Customers = Select[Customer]
Narrow = Callable[[Session, Customers, str], Customers]
filters: Register[tuple[str, Narrow]] = Register("customer filters")

FEW = 2_000  # customers up to here are named to SQL
WALKED = 1_000  # customers looked at in one go
TAIL = 4  # digits of a phone that are enough to ask for


def narrows(name: str) -> Callable[[Narrow], Narrow]:
    """Mark a function `(session, query, value)` that keeps the customers for whom filter `name` has `value`."""
    return lambda function: filters.mark(function, (name, function))


def wanted_of(given: Mapping[str, str]) -> dict[str, str]:
    """The filters in an address: a condition (`where`), a leaf by its key (`tier=金卡`), what features mark."""
    names = {"where"} | {kind.key for kind in leaves} | {name for name, _ in filters}
    return {name: value for name, value in given.items() if value and name in names}


def page(
    session: Session, *, q: str = "", wanted: Mapping[str, str], limit: int, cursor: str | None
) -> tuple[list[Customer], str | None]:
    """A page of customers and the cursor of the next one. q: a name, its pinyin or initials, a phone or its last four.

    wanted: values by filter name. Raises Unacceptable for a bad cursor or value.
    """
    columns = Customer.__table__.c
    order = (columns.seen_at, columns.id)
    query, members = _found(session, q, wanted)
    if members is None:
        return cursors.page(session, query, order, limit, cursor, desc=True)
    rows: list[Customer] = []
    while len(rows) <= limit:  # many are walked through by the list's own order, which finds a page of them soon
        found, cursor = cursors.page(session, query, order, WALKED, cursor, desc=True)
        rows += [one for one in found if one.id in members]
        if cursor is None:
            break
    last = rows[limit - 1] if len(rows) > limit else None
    return rows[:limit], cursors.write((last.seen_at, last.id)) if last is not None else None


def count(session: Session, *, q: str = "", wanted: Mapping[str, str]) -> int:
    """How many customers `page` gives in all."""
    tree = asked_of(session, wanted)
    if not q.strip() and not any(name in wanted for name, _ in filters):
        return counting.counted(session, [tree or counting.EVERYBODY])[0]
    query, members = _found(session, q, wanted)
    if members is None:
        counted = query.with_only_columns(func.count(), maintain_column_froms=True)
        return int(session.scalar(counted) or 0)
    return sum(1 for one in session.scalars(query.with_only_columns(Customer.id)) if one in members)


def after(session: Session, customer_id: int, limit: int, *, q: str = "", wanted: Mapping[str, str]) -> Sequence[int]:
    """The next ids of those `page` gives, by rising id."""
    query, members = _found(session, q, wanted)
    ids = query.with_only_columns(Customer.id).where(Customer.id > customer_id).order_by(Customer.id)
    if members is None:
        return list(session.scalars(ids.limit(limit)))
    waiting, found = members.iter_equal_or_larger(customer_id + 1), list[int]()
    while len(found) < limit and (some := list(islice(waiting, WALKED))):
        found += session.scalars(ids.where(Customer.id.in_(some)))
    return found[:limit]


def asked_of(session: Session, wanted: Mapping[str, str]) -> Tree | None:
    """What the filters ask that are conditions, as one tree; None where none is. Raises Unacceptable for a bad one."""
    kinds = {kind.key for kind in leaves}
    asked = [stored(session, {name: value}) for name, value in wanted.items() if name in kinds]
    if "where" in wanted:
        asked.append(stored(session, unpack(wanted["where"], "/where")))
    return Group("all", tuple(asked)) if asked else None


def words_of(session: Session, wanted: Mapping[str, str]) -> str:
    """The condition in the address, in words of the page's language; "" for none."""
    tree = asked_of(session, {name: value for name, value in wanted.items() if name == "where"})
    return tree.words(session, spoken()) if tree is not None else ""


def _found(session: Session, q: str, wanted: Mapping[str, str]) -> tuple[Customers, counting.Members | None]:
    """Those the filters find in SQL; of these only those who are among the members, where there are any."""
    query: Customers = select(Customer).where(Customer.merged_into.is_(None))
    if q.strip():
        query = query.where(_matches(session, q.strip()))
    for name, narrow in filters:
        if name in wanted:
            query = narrow(session, query, wanted[name])
    tree = asked_of(session, wanted)
    if tree is None:
        return query, None
    [members] = counting.meant(session, tree)
    if len(members) <= FEW:
        return query.where(Customer.id.in_(list(members.iter_equal_or_larger(0)))), None
    return query, members


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
