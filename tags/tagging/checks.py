"""Invariants of tagging."""

from collections.abc import Iterator

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.core.checks import check
from bot.wecom.outbox import OutboxRow
from tags.people.models import Contact, Customer
from tags.tagging.models import Assignment, RelationSync, RelationTag, Tag, TagGroup

OPEN = ("waiting", "sending", "unknown", "refused")


@check("tags: of a single-choice group nobody was given two tags")
def single_choice(session: Session) -> Iterator[str]:
    rows = (
        select(Assignment.customer_id, TagGroup.name)
        .join(Tag, Tag.id == Assignment.tag_id)
        .join(TagGroup, TagGroup.id == Tag.group_id)
        .join(Customer, Customer.id == Assignment.customer_id)
        .where(TagGroup.single_choice, Tag.deleted_at.is_(None), Customer.merged_into.is_(None))
        .group_by(Assignment.customer_id, TagGroup.id)
        .having(func.count() > 1)
    )
    for customer_id, group in session.execute(rows):
        yield f"customer {customer_id} has more than one tag of {group}"


@check("tags: WeCom's tags on a relation are hers, or a call that says so is kept")
def in_step(session: Session) -> Iterator[str]:
    corp = (TagGroup.kind == "corp", Tag.deleted_at.is_(None), Tag.wecom_id.is_not(None))
    reached = (Contact.status == "active", ~Contact.half)
    here = select(Contact.id, Assignment.tag_id).join(Assignment, Assignment.customer_id == Contact.customer_id)
    there = select(Contact.id, RelationTag.tag_id).join(RelationTag, RelationTag.contact_id == Contact.id)
    here, there = (query.join(Tag).join(TagGroup).where(*corp, *reached) for query in (here, there))
    kept = select(RelationSync.contact_id).join(OutboxRow, OutboxRow.id == RelationSync.outbox_id)
    told = set(session.scalars(kept.where(OutboxRow.state.in_(OPEN))))
    for differing in (here.except_(there), there.except_(here)):
        for contact_id, tag_id in session.execute(differing):
            if contact_id not in told:
                yield f"contact {contact_id} differs from WeCom in tag {tag_id}, and no call is kept for it"
