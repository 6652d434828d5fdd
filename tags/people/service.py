"""The doors others build on: who is meant, who she is now, and her lock.

A customer may be merged into another; every door answers the survivor. Services that change her money, points, tags or
relations call `lock` first; where several customers are involved, all in one call (the lock order is by id).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, func, or_, select, update
from sqlalchemy.orm import Session, aliased

from bot.core import clock
from bot.core.errors import NotFound
from bot.core.installation import installation_of
from bot.core.sets import run
from tags.people.errors import Unknown
from tags.people.models import Customer
from tags.people.names import name_key
from tags.people.selector import Selector

HASHED = ("phone", "email")  # identities that are kept as their keyed hash only


def identity_value(session: Session, kind: str, value: str) -> str:
    """A value as `identities` keeps it: itself, a phone (E.164) and an email as the hex of their keyed hash."""
    return installation_of(session).vault.lookup(f"{kind}:{value}").hex() if kind in HASHED else value


def find(session: Session, selector: Selector) -> int | None:
    """The customer meant, the survivor where she was merged; None if nobody matches."""
    kind, value = selector.pair
    if kind != "customer_id":
        return owner(session, kind, identity_value(session, kind, value))
    found = session.scalar(select(Customer.id).where(Customer.id == int(value)))
    return survivor(session, found) if found is not None else None


def owner(session: Session, kind: str, value: str) -> int | None:
    """Whose an identity is; `value` as `identity_value` makes it. Merges move identities, so she is a survivor."""
    return owners(session, [(kind, value)]).get((kind, value))


OWNERS = """
SELECT kind, value, customer_id
FROM identities JOIN unnest(%(kinds)s::text[], %(values)s::text[]) AS asked (kind, value) USING (kind, value)
"""


def owners(session: Session, pairs: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Whose each of several (kind, value) is; those that are nobody's are not in it."""
    kinds, values = [kind for kind, _ in pairs], [value for _, value in pairs]
    return {(kind, value): whose for kind, value, whose in run(session, OWNERS, kinds=kinds, values=values)}


def resolve(session: Session, selector: Selector) -> int:
    """The customer meant, the survivor where she was merged. Raises NotFound (404) if nobody matches."""
    found = find(session, selector)
    if found is None:
        raise Unknown(selector)
    return found


def make_owner(session: Session, kind: str, value: str, name: str, source: str) -> tuple[int, bool]:
    """A customer for an identity that nobody had a moment ago, and whether she is new, or somebody else was quicker."""
    made = make(session, name=name)
    kept = keep_identity(session, made, kind, value, source)
    if kept != made:
        session.execute(delete(Customer).where(Customer.id == made))
        del locked(session)[made]
    return kept, kept == made


def make(
    session: Session, *, name: str = "", gender: str = "", avatar: str = "", at: datetime | None = None
) -> int:  # fmt: skip
    """A new customer without any identity, last seen `at` (default: now). She is locked: nobody else knows her yet."""
    made = Customer(
        name=name, name_key=name_key(name), avatar=avatar, gender=gender, city="", language="", phone_tail="",
        created_at=clock.now(), seen_at=at or clock.now(),
    )  # fmt: skip
    session.add(made)
    session.flush()
    locked(session)[made.id] = made
    return made.id


KEEP_IDENTITY = """
INSERT INTO identities (customer_id, kind, value, source, added_at)
VALUES (%(customer_id)s, %(kind)s, %(value)s, %(source)s, %(added_at)s) ON CONFLICT DO NOTHING RETURNING id
"""


def keep_identity(session: Session, customer_id: int, kind: str, value: str, source: str) -> int:
    """Give her an identity that nobody had a moment ago; answers whose it is, hers or whoever's was quicker."""
    row = {"customer_id": customer_id, "kind": kind, "value": value, "source": source, "added_at": clock.now()}
    if run(session, KEEP_IDENTITY, **row):
        return customer_id
    other = owner(session, kind, value)
    assert other is not None  # the conflicting row is committed: the insert waited for it
    return other


def show_phone(session: Session, customer_id: int, e164: str) -> None:
    """Keep her newest verified phone (E.164) to be shown masked; it is found through its identity."""
    sealed = installation_of(session).vault.encrypt(e164)
    session.execute(update(Customer).where(Customer.id == customer_id).values(phone=sealed, phone_tail=e164[-4:]))


def survivor(session: Session, customer_id: int) -> int:
    """Who she is now: herself, or whom she was merged into. Raises NotFound for an id that never was."""
    found = session.get(Customer, customer_id)  # whom a session has locked or read it does not ask for again
    if found is None:
        raise NotFound(f"there is no customer {customer_id}")
    return found.survivor_id or found.id


def family(session: Session, customer_id: int) -> list[int]:
    """The survivor first, then all that were merged into her: whose rows are hers. Raises NotFound."""
    first = survivor(session, customer_id)
    return [first, *session.scalars(select(Customer.id).where(Customer.survivor_id == first).order_by(Customer.id))]


def family_of(who: ColumnElement[int]) -> Select[int]:
    """The same as SQL, for the survivors in column or parameter `who`."""
    member = aliased(Customer)
    return select(member.id).where(or_(member.id == who, member.survivor_id == who)).correlate_except(member)


def by_owner(rows: Any, *sums: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
    """Whose the rows (of a table with a `customer_id`) are, hers or her survivor's; with sums, one row a person.

    Only the merged are joined: they are few and have an index, while everybody would be read whole.
    """
    merged = aliased(Customer)
    hers = func.coalesce(merged.survivor_id, rows.customer_id)
    on = and_(merged.id == rows.customer_id, merged.survivor_id.is_not(None))
    found = select(hers, *sums).select_from(rows).outerjoin(merged, on)
    return found.group_by(hers) if sums else found


def lock(session: Session, *customer_ids: int) -> list[Customer]:
    """Lock the customers (by id, sorted) until the end of the transaction; their survivors' rows, in the order given.

    All that are needed go into one call. Others may still refer to the rows meanwhile. Raises NotFound.
    """
    wanted = list(customer_ids)
    while True:
        locked = lock_rows(session, *wanted)
        merged = {one.id: survivor(session, one.id) for one in locked if one.merged_into is not None}
        if not merged:
            return locked
        wanted = [merged.get(one, one) for one in wanted]  # merged while we waited for the lock


def lock_rows(session: Session, *customer_ids: int) -> list[Customer]:
    """Lock exactly these rows, merged or not, sorted by id; they come in the order given. Raises NotFound."""
    held = locked(session)
    wanted = set(customer_ids) - held.keys()
    if wanted:
        rows = select(Customer).where(Customer.id.in_(wanted)).order_by(Customer.id)
        found = session.scalars(rows.with_for_update(key_share=True).execution_options(populate_existing=True))
        held.update((one.id, one) for one in found)
    absent = next((one for one in customer_ids if one not in held), None)
    if absent is not None:
        raise NotFound(f"there is no customer {absent}")
    return [held[one] for one in customer_ids]


def locked(session: Session) -> dict[int, Customer]:
    """Whom this transaction has locked, by id: a session refers weakly to what it has read and would read her again."""
    held: dict[int, Customer] = session.info.setdefault("locked customers", {})
    return held


def customer(session: Session, customer_id: int) -> Customer:
    """The row of the survivor. Raises NotFound."""
    return session.get_one(Customer, survivor(session, customer_id))
