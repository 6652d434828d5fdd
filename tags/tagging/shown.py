"""What the customer object and the customer list know of tags."""

from collections.abc import Sequence

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot.operators.called import called, numbers
from tags.people.cards import HeldTagAnswer, facet
from tags.people.finding import Customers, narrows
from tags.people.models import Customer
from tags.tagging import service
from tags.tagging.models import Assignment, Tag


@facet("tags")
def tags(session: Session, customer_ids: Sequence[int]) -> dict[int, list[HeldTagAnswer]]:
    return {
        customer_id: [_answer(one) for one in held]
        for customer_id, held in service.of_each(session, customer_ids).items()
    }


@narrows("tag")
def tagged(session: Session, query: Customers, value: str) -> Customers:
    return query.where(exists().where(Assignment.customer_id == Customer.id, Assignment.tag_id == int(value)))


@called("tag")
def names(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(Tag.id, Tag.name).where(Tag.id.in_(numbers(ids))))
    return {str(its_id): name for its_id, name in found}


def _answer(held: service.Held) -> HeldTagAnswer:
    return HeldTagAnswer(
        id=str(held.tag.id), name=held.tag.name, group=held.group.name, kind=held.group.kind,
        source=held.assignment.source, expires_at=held.assignment.expires_at,
    )  # fmt: skip
