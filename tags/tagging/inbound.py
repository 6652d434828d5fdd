"""A member put tags on or took them off in WeCom: found as a difference, taken over or overruled (T2)."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.events import EventRow, announce
from bot.operators.audit import record_audit
from bot.wecom import inbox
from tags.people.models import Contact
from tags.people.profile import Follow
from tags.people.relations import ProfileAsked
from tags.tagging import push, service
from tags.tagging.events import TagOverruled, TagRemoved
from tags.tagging.models import RelationSync, Tag, TagGroup
from tags.tagging.rules import Step, members_change, members_is_later

Tags = dict[str, tuple[Tag, TagGroup]]  # by WeCom's ids


def take(session: Session, contact: Contact, follow: Follow, at: datetime, number: int) -> None:
    """Take in the tags a relation was read to have. number: the last one drawn before the reading.

    at: when the member changed something (CreateTime), which decides who was later. The customer is locked.
    """
    read = set(follow.tag_ids)
    known = push.known(session, contact.id)
    tags = _by_wecom_id(session, read | known)
    if unknown := sorted(read - tags.keys()):
        inbox.ask(session, push.TagsAsked(unknown, contact.external_userid))
    read &= tags.keys()
    if read or known:
        _compare(session, contact, read, known, tags, at, number)


def _compare(
    session: Session, contact: Contact, read: set[str], known: set[str], tags: Tags, at: datetime, number: int
) -> None:
    anew = session.get(RelationSync, contact.id) is None  # the first reading since they became friends (again)
    sync = push.sync_of(session, contact.id)
    if sync.number > number:  # the relation's tags changed since: this reading is history
        inbox.ask(session, ProfileAsked(contact.external_userid))
        return
    under_way = push.under_way(session, sync)
    sync.reread = sync.reread or bool(under_way)
    change = members_change(read, known, under_way)
    if anew:  # what a relation that was taken up again lacks, nobody took off
        change = Step(change.add, frozenset())
    push.know(session, contact.id, (read - under_way) | (known & under_way))
    sync.number = push.next_number(session)
    _take_over(session, contact, change, tags, at)
    push.customer(session, contact.customer_id)  # what lost, or what a relation taken up again lacks


def _take_over(session: Session, contact: Contact, change: Step, tags: Tags, at: datetime) -> None:
    """Let the member's change be hers, but for what was decided here later."""
    held = {one.tag.id: one for one in service.of(session, contact.customer_id)}
    source, add, remove = f"member:{contact.userid}", [], []
    for tag, group in (tags[wecom_id] for wecom_id in sorted(change.remove)):
        if tag.id not in held:
            continue
        if members_is_later(at, held[tag.id].assignment.at):
            remove.append(tag.id)
        else:
            _overrule(session, contact.customer_id, tag, group, source, at, "removed")
    for tag, group in (tags[wecom_id] for wecom_id in sorted(change.add)):
        if tag.id in held:
            continue
        if members_is_later(at, _decided_here(session, contact.customer_id, held.values(), tag, group, at)):
            add.append(tag.id)
        else:
            _overrule(session, contact.customer_id, tag, group, source, at, "added")
    service.change(session, contact.customer_id, add=add, remove=remove, source=source, at=at)


def _overrule(
    session: Session, customer_id: int, tag: Tag, group: TagGroup, source: str, at: datetime, change: str
) -> None:
    """A change made here is later: the member's is kept as the loser, and the push that follows undoes it."""
    announce(session, service.about(TagOverruled, customer_id, tag, group, source, change=change), at=at)
    lost = {"tag": tag.name, "group": group.name, "by": source, "change": change, "at": at.isoformat()}
    record_audit(session, TagOverruled.name, f"customer:{customer_id}", before=lost)


def _decided_here(
    session: Session, customer_id: int, held: Iterable[service.Held], tag: Tag, group: TagGroup, at: datetime
) -> datetime | None:
    """When it was decided here, after `at`, that she does not have the tag: taken off, or its sibling put on."""
    rows = select(EventRow.at).where(
        EventRow.customer_id == customer_id, EventRow.at >= at, EventRow.name == TagRemoved.name,
        EventRow.data["tag_id"].as_integer() == tag.id,
    )  # fmt: skip
    siblings = [one.assignment.at for one in held if one.group.id == group.id and group.single_choice]
    return max([*session.scalars(rows), *siblings], default=None)


def _by_wecom_id(session: Session, wecom_ids: Iterable[str]) -> Tags:
    wanted = list(wecom_ids)
    if not wanted:
        return {}
    rows = select(Tag, TagGroup).join(TagGroup).where(Tag.wecom_id.in_(wanted), Tag.deleted_at.is_(None))
    return {tag.wecom_id: (tag, group) for tag, group in session.execute(rows) if tag.wecom_id is not None}
