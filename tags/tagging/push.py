"""Telling WeCom which corp tags she has: one waiting `mark_tag` row a relation, however often her tags change (T2).

While a row is under way nothing is posted for its relation; when it is settled, what changed meanwhile follows. So
calls of one relation never overtake each other, and an answer that was lost is found out by telling everything again.
"""

from dataclasses import dataclass

from sqlalchemy import bindparam, delete, exists, or_, select
from sqlalchemy.orm import Session

from bot.core.sets import run
from bot.wecom import inbox
from bot.wecom.outbox import BULK, OutboxRow, post
from tags.people import service as people
from tags.people.models import Contact
from tags.people.relations import ProfileAsked
from tags.tagging.models import Assignment, RelationSync, RelationTag, Tag, TagGroup, reading_numbers
from tags.tagging.rules import Step, to_push

CALL = "mark_tag"
NEXT = f"SELECT nextval('{reading_numbers.name}')"
UNDER_WAY = ("sending", "unknown")
INVALID_TAG = 40068  # one of them was deleted in WeCom, and its event is still to come


@dataclass(frozen=True)
class TagsAsked:
    """Read these corp tags (WeCom's ids), then the relations of a customer who has them."""

    tag_ids: list[str]
    external_userid: str


# Her active relations, but for those where neither she nor WeCom has a tag.
TO_COMPARE = (
    select(Contact)
    .where(Contact.customer_id == bindparam("her"), Contact.status == "active", ~Contact.half)
    .where(or_(
        exists().where(Assignment.customer_id == Contact.customer_id),
        exists().where(RelationTag.contact_id == Contact.id),
        exists().where(RelationSync.contact_id == Contact.id),
    ))
    .order_by(Contact.id)
)  # fmt: skip


def customer(session: Session, customer_id: int) -> None:
    """Post what her active relations lack; half ones wait until the member has added her back. She is locked."""
    for contact in session.scalars(TO_COMPARE, {"her": customer_id}):
        relation(session, contact)


def relation(session: Session, contact: Contact, *, refused: Step | None = None) -> None:
    """Post what one relation lacks, into its waiting row if it has one. Its customer is locked.

    refused: what WeCom has just refused; the same is not told again.
    """
    last = latest(session, session.get(RelationSync, contact.id))
    if last is not None and last.state in UNDER_WAY:
        return
    told = waiting(session, last) if last is not None and last.state == "waiting" else None
    if last is not None and last.state == "waiting" and told is None:
        return  # a sender takes it this very moment
    tried = _alive(session, _tags(told)) if told is not None and told.attempts else set()
    step = to_push(wanted(session, contact.customer_id), known(session, contact.id), tried)
    if not step and told is not None:
        session.delete(told)  # put on and taken off again before anybody was told
    if not step or step == refused:
        return
    payload = {
        "userid": contact.userid, "external_userid": contact.external_userid,
        "add_tag": sorted(step.add), "remove_tag": sorted(step.remove),
    }  # fmt: skip
    if told is not None:
        told.payload = payload
    else:
        row_id = post(session, CALL, payload, purpose="sync", customer_id=contact.customer_id, priority=BULK)
        sync_of(session, contact.id).outbox_id = row_id
    session.flush()


def settled(session: Session, row: OutboxRow) -> None:
    """A push is answered: WeCom has the tags now, or refused them; what changed meanwhile is told next."""
    if row.state == "unknown":
        return
    which = (Contact.external_userid == row.payload["external_userid"], Contact.userid == row.payload["userid"])
    contact = session.scalar(select(Contact).where(*which))
    if contact is None or contact.status != "active":
        return
    people.lock(session, contact.customer_id)
    session.refresh(contact)
    sync = sync_of(session, contact.id)
    step = Step(frozenset(row.payload["add_tag"]), frozenset(row.payload["remove_tag"]))
    if row.errcode == INVALID_TAG:
        inbox.ask(session, TagsAsked(sorted(step.add | step.remove), contact.external_userid))
    if row.state == "sent":
        know(session, contact.id, (known(session, contact.id) | step.add) - step.remove)
        sync.number = next_number(session)
    if sync.reread:
        sync.reread = False
        inbox.ask(session, ProfileAsked(contact.external_userid))
    relation(session, contact, refused=None if row.state == "sent" else step)


def forget(session: Session, contact_id: int) -> None:
    """The relation has ended: nothing waits for it any more. What WeCom has on it when it is taken up again is read."""
    sync = session.get(RelationSync, contact_id)
    last = latest(session, sync)
    if last is not None and waiting(session, last) is not None:
        session.delete(last)
    if sync:
        session.delete(sync)
    session.flush()


def under_way(session: Session, sync: RelationSync) -> set[str]:
    """WeCom's ids of the tags of a push that was sent and is not answered."""
    row = latest(session, sync)
    return _tags(row) if row is not None and row.state in UNDER_WAY else set()


def sync_of(session: Session, contact_id: int) -> RelationSync:
    """The relation's row, made where it has none."""
    found = session.get(RelationSync, contact_id)
    if found is None:
        found = RelationSync(contact_id=contact_id, number=0, outbox_id=None, reread=False)
        session.add(found)
        session.flush()
    return found


def latest(session: Session, sync: RelationSync | None) -> OutboxRow | None:
    """The relation's latest push as it stands; None where it has none (any more)."""
    if sync is None or sync.outbox_id is None:
        return None
    return session.get(OutboxRow, sync.outbox_id, populate_existing=True)


def waiting(session: Session, row: OutboxRow) -> OutboxRow | None:
    """The row, locked, if it still waits; None where a sender has it.

    Waiting for a sender, who waits for her lock when he settles, would be a deadlock.
    """
    query = select(OutboxRow).where(OutboxRow.id == row.id, OutboxRow.state == "waiting")
    return session.scalar(query.with_for_update(skip_locked=True).execution_options(populate_existing=True))


def wanted(session: Session, customer_id: int) -> set[str]:
    """WeCom's ids of the corp tags she has here."""
    rows = select(Tag.wecom_id).join(TagGroup).join(Assignment, Assignment.tag_id == Tag.id)
    hers = rows.where(Assignment.customer_id == customer_id, TagGroup.kind == "corp", Tag.deleted_at.is_(None))
    return {wecom_id for wecom_id in session.scalars(hers) if wecom_id is not None}


def known(session: Session, contact_id: int) -> set[str]:
    """WeCom's ids of the tags it was last seen to have on the relation."""
    rows = select(Tag.wecom_id).join(RelationTag, RelationTag.tag_id == Tag.id)
    alive = rows.where(RelationTag.contact_id == contact_id, Tag.deleted_at.is_(None))
    return {wecom_id for wecom_id in session.scalars(alive) if wecom_id is not None}


def know(session: Session, contact_id: int, wecom_ids: set[str]) -> None:
    """Keep what WeCom has on the relation; ids of tags unknown here are passed over."""
    rows = select(Tag.id).where(Tag.wecom_id.in_(wecom_ids), Tag.deleted_at.is_(None))
    now, before = set(session.scalars(rows)), _relation_tags(session, contact_id)
    gone = (RelationTag.contact_id == contact_id) & RelationTag.tag_id.in_(before - now)
    session.execute(delete(RelationTag).where(gone))
    session.add_all(RelationTag(contact_id=contact_id, tag_id=tag_id) for tag_id in sorted(now - before))
    session.flush()


def next_number(session: Session) -> int:
    """A number larger than any drawn before."""
    return int(run(session, NEXT)[0][0])


def _relation_tags(session: Session, contact_id: int) -> set[int]:
    return set(session.scalars(select(RelationTag.tag_id).where(RelationTag.contact_id == contact_id)))


def _tags(row: OutboxRow) -> set[str]:
    return {*row.payload["add_tag"], *row.payload["remove_tag"]}


def _alive(session: Session, wecom_ids: set[str]) -> set[str]:
    rows = select(Tag.wecom_id).where(Tag.wecom_id.in_(wecom_ids), Tag.deleted_at.is_(None))
    return {wecom_id for wecom_id in session.scalars(rows) if wecom_id is not None}
