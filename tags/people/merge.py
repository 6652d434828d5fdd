"""Two customers found to be one person, and taken apart again (C2).

Identities, contacts, touches and hints move to the survivor; what other features keep is theirs to move or to leave
when they hear `CustomersMerged` and `MergeUndone`. What moved is written down row by row, so that undoing gives back
exactly what was booked before the merge; later bookings stay with the survivor.
"""

from typing import Any

from sqlalchemy import BigInteger, func, literal, select, update
from sqlalchemy.orm import Session, aliased

from bot.core import clock
from bot.core.errors import NotFound
from bot.core.events import announce
from bot.core.i18n import say
from bot.operators.audit import record_audit
from tags.people import service
from tags.people.errors import AlreadyUndone, SameCustomer
from tags.people.events import CustomersMerged, MergeUndone
from tags.people.models import Contact, Customer, Hint, Identity, Merge, Touch

ASKED = "asked for"  # of a merge that somebody wants, with no other reason
MOVING = (Identity, Contact, Touch, Hint)
FILLED = ("name", "name_key", "avatar", "gender", "birthday", "city", "language", "phone", "phone_tail")


def merge(session: Session, from_id: int, into_id: int, *, why: str) -> Merge:
    """Merge customer `from_id` into `into_id` (their survivors) and announce CustomersMerged.

    Locks both. Raises NotFound, SameCustomer (409) where they are one already.
    """
    source, into = service.lock(session, from_id, into_id)
    if source.id == into.id:
        raise SameCustomer(from_id, into_id)
    moved: dict[str, list[Any]] = {each.__tablename__: _move(session, each, source.id, into.id) for each in MOVING}
    moved["filled"] = _fill(source, into)
    source.merged_into = into.id
    _lead(session, source.id, into.id)
    into.seen_at = max(into.seen_at, source.seen_at)
    row = Merge(from_id=source.id, into_id=into.id, at=clock.now(), actor=session.info["actor"], why=why, moved=moved)
    session.add(row)
    session.flush()
    record_audit(session, CustomersMerged.name, f"customer:{into.id}", None, {"from": source.id, "reason": why})
    announce(session, CustomersMerged(customer_id=into.id, merge_id=row.id, from_id=source.id), why=why)
    return row


def undo(session: Session, merge_id: int) -> Merge:
    """Take a merge back: the merged customer stands on her own again with what moved then. Announces MergeUndone.

    The survivor may have been merged further since: the rows come back from whoever has them. Locks both.
    Raises NotFound, AlreadyUndone (409).
    """
    row = session.get(Merge, merge_id)
    if row is None:
        raise NotFound(f"there is no merge {merge_id}")
    holder = service.survivor(session, row.into_id)
    source, into = service.lock_rows(session, row.from_id, holder)
    session.refresh(row, with_for_update=True)
    if row.undone_at is not None:
        raise AlreadyUndone(merge_id)
    for table in MOVING:
        session.execute(
            update(table)
            .where(table.id.in_(row.moved[table.__tablename__]), table.customer_id == into.id)
            .values(customer_id=source.id)
        )
    _follow_identities(session, source.id, into.id)
    for field in row.moved["filled"]:
        if getattr(into, field) == getattr(source, field):
            setattr(into, field, None if field in ("birthday", "phone") else "")
    source.merged_into = None
    _lead(session, source.id, source.id)
    row.undone_at, row.undone_by = clock.now(), session.info["actor"]
    session.flush()
    record_audit(session, MergeUndone.name, f"customer:{into.id}", {"from": source.id, "reason": row.why}, None)
    announce(session, MergeUndone(customer_id=into.id, merge_id=row.id, from_id=source.id))
    return row


def parted(session: Session, one_id: int, other_id: int) -> bool:
    """Whether a merge of these two was undone: what a person took apart, no match of values joins again."""
    return any(
        session.scalar(select(Merge.id).where(Merge.from_id == a, Merge.into_id == b, Merge.undone_at.is_not(None)))
        for a, b in ((one_id, other_id), (other_id, one_id))
    )


def because(why: str, lang: str) -> str:
    """Why two were merged, as a person reads it; what somebody wrote himself stays."""
    said = {
        ASKED: say(lang, "有人指定"), "phone of both": say(lang, "手机号相同"), "email of both": say(lang, "邮箱相同"),
        "unionid of both": say(lang, "unionid 相同"), "external_userid of both": say(lang, "外部联系人相同"),
        "shop_customer_id of both": say(lang, "商城账号相同"),
    }  # fmt: skip
    kind, _, order_id = why.partition(" ")
    return say(lang, "订单 %(id)s", id=order_id) if kind == "order" else said.get(why, why)


def merges_of(session: Session, customer_id: int) -> list[Merge]:
    """The standing merges into her, oldest first, also those of customers merged into her earlier."""
    return list(
        session.scalars(
            select(Merge)
            .where(Merge.into_id.in_(service.family(session, customer_id)), Merge.undone_at.is_(None))
            .order_by(Merge.id)
        )
    )


def suggested(session: Session, customer_id: int) -> list[Customer]:
    """Customers she may be one with: somebody's identity is her hint, or hers is somebody's (C2). Never done alone."""
    named = (
        select(Identity.customer_id)
        .join(Hint, (Hint.kind == Identity.kind) & (Hint.value == Identity.value))
        .where(Hint.customer_id == customer_id)
    )
    naming = (
        select(Hint.customer_id)
        .join(Identity, (Hint.kind == Identity.kind) & (Hint.value == Identity.value))
        .where(Identity.customer_id == customer_id)
    )
    ids = set(session.scalars(named.union(naming))) - {customer_id}
    found = session.scalars(select(Customer).where(Customer.id.in_(ids)).order_by(Customer.id))
    return [one for one in found if not parted(session, one.id, customer_id)]


def _lead(session: Session, customer_id: int, survivor_id: int) -> None:
    """Let the customer and all that were merged into her lead to the survivor; she herself may be that."""
    session.flush()
    hers = select(literal(customer_id, BigInteger).label("id")).cte("hers", recursive=True)
    merged = aliased(Customer)
    hers = hers.union_all(select(merged.id).join(hers, merged.merged_into == hers.c.id))
    following = update(Customer).where(Customer.id.in_(select(hers.c.id)))
    leading = following.values(survivor_id=func.nullif(survivor_id, Customer.id))
    session.execute(leading, execution_options={"synchronize_session": "fetch"})


def _move(session: Session, table: type[Identity | Contact | Touch | Hint], from_id: int, into_id: int) -> list[int]:
    statement = update(table).where(table.customer_id == from_id).values(customer_id=into_id).returning(table.id)
    if table is Hint:  # the survivor may hold the same one; then the merged one keeps hers
        hers = aliased(Hint)
        same = (hers.kind == Hint.kind) & (hers.value == Hint.value) & (hers.source == Hint.source)
        statement = statement.where(~select(hers.id).where(hers.customer_id == into_id, same).exists())
    return sorted(session.scalars(statement))


def _follow_identities(session: Session, customer_id: int, from_id: int) -> None:
    """A relation is whose the external contact is, also one that began while the two were one."""
    hers = select(Identity.value).where(Identity.customer_id == customer_id, Identity.kind == "external_userid")
    newer = update(Contact).where(Contact.customer_id == from_id, Contact.external_userid.in_(hers))
    session.execute(newer.values(customer_id=customer_id))


def _fill(source: Customer, into: Customer) -> list[str]:
    """Fill what the survivor lacks from the merged one; returns the fields."""
    lacking = [field for field in FILLED if not getattr(into, field) and getattr(source, field)]
    for field in lacking:
        setattr(into, field, getattr(source, field))
    return lacking
