"""Invariants of people."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session, aliased

from bot.core.checks import check
from tags.people.models import Contact, Customer, Identity
from tags.people.rules import Fact, fold


@check("people: identities and contacts belong to survivors")
def survivors(session: Session) -> Iterator[str]:
    for table in (Identity, Contact):
        rows = select(table.id, table.customer_id).join(Customer).where(Customer.merged_into.is_not(None))
        for row_id, customer_id in session.execute(rows):
            yield f"{table.__tablename__} {row_id} belongs to customer {customer_id}, who was merged"


@check("people: every chain of merges ends, at the survivor who is named")
def chains(session: Session) -> Iterator[str]:
    named = or_(Customer.merged_into.is_not(None), Customer.survivor_id.is_not(None))
    rows = session.execute(select(Customer.id, Customer.merged_into, Customer.survivor_id).where(named)).all()
    merged: dict[int | None, int | None] = {customer_id: into for customer_id, into, _ in rows}
    for customer_id, into, survivor_id in rows:
        at = into
        seen: set[int | None] = {customer_id}
        while merged.get(at) is not None and at not in seen:
            seen.add(at)
            at = merged[at]
        if at in seen:
            yield f"the merges of customer {customer_id} go round in a circle"
        elif at != survivor_id:
            yield f"customer {customer_id} was merged into {at} in the end, {survivor_id} is named as her survivor"


@check("people: each contact is what WeCom's facts say, and its external contact is the same customer's")
def relations(session: Session) -> Iterator[str]:
    for contact in session.scalars(select(Contact).execution_options(yield_per=1000)):
        relation = fold([Fact(*one) for one in contact.facts])
        assert relation is not None
        said = (relation.status, relation.half, datetime.fromtimestamp(relation.added_at, UTC))
        if (contact.status, contact.half, contact.added_at) != said:
            yield f"contact {contact.id} is {contact.status}, its facts say {relation.status}"
    hers, owner = aliased(Contact), aliased(Identity)
    same = (owner.kind == "external_userid") & (owner.value == hers.external_userid)
    strangers = select(hers.id).outerjoin(owner, same)
    for contact_id in session.scalars(strangers.where(owner.customer_id.is_distinct_from(hers.customer_id))):
        yield f"contact {contact_id} belongs to another customer than its external_userid"
