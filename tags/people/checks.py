"""Invariants of people."""

from collections.abc import Iterator
from datetime import UTC, datetime

from sqlalchemy import select
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


@check("people: no merge leads back to where it began")
def chains(session: Session) -> Iterator[str]:
    following = select(Customer.id, Customer.merged_into).where(Customer.merged_into.is_not(None))
    merged: dict[int, int | None] = dict(session.execute(following).all())
    for customer_id in merged:
        seen, at = set(), merged[customer_id]
        while at is not None and at not in seen:
            seen.add(at)
            at = merged.get(at)
        if at is not None:
            yield f"the merges of customer {customer_id} go round in a circle"


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
