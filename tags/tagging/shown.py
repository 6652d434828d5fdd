"""What the customer object knows of tags, and what records call them."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.operators.called import called, numbers
from tags.people.cards import HeldTagAnswer, facet
from tags.tagging import service
from tags.tagging.models import Tag


@facet("tags")
def tags(session: Session, customer_ids: Sequence[int]) -> dict[int, list[HeldTagAnswer]]:
    return {
        customer_id: [_answer(one) for one in held]
        for customer_id, held in service.of_each(session, customer_ids).items()
    }


@called("tag")
def names(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(Tag.id, Tag.name).where(Tag.id.in_(numbers(ids))))
    return {str(its_id): name for its_id, name in found}


def _answer(held: service.Held) -> HeldTagAnswer:
    return HeldTagAnswer(
        id=str(held.tag.id), name=held.tag.name, group=held.group.name, kind=held.group.kind,
        source=held.assignment.source, expires_at=held.assignment.expires_at,
    )  # fmt: skip
