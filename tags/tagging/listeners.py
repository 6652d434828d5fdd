"""What tagging does when WeCom, people or the outbox tell something."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.events import on
from bot.core.installation import Installation
from bot.wecom import inbox, messages
from bot.wecom.client import WeCom
from bot.wecom.inbox import receives
from bot.wecom.outbox import OutboxRow, settles
from bot.wecom.pulls import Report, pulls
from tags.people.events import (
    ContactAdded,
    ContactCompleted,
    ContactLeft,
    ContactRemoved,
    CustomersMerged,
    MergeUndone,
)  # fmt: skip
from tags.people.models import Contact
from tags.people.profile import Follow, reads_follows
from tags.people.relations import ProfileAsked
from tags.tagging import corp, groups, inbound, merged, push
from tags.tagging.push import TagsAsked


def changed_tags(installation: Installation, wecom: WeCom, message: messages.TagChanged) -> corp.Listing | None:
    """What the tag or group is now; nothing for one that was deleted."""
    if message.change == "delete":
        return None
    ids = (message.id,) if message.id else ()
    if message.is_group:
        return corp.read(installation, wecom, group_ids=ids)
    return corp.read(installation, wecom, tag_ids=ids)


def asked_tags(installation: Installation, wecom: WeCom, question: TagsAsked) -> corp.Listing:
    return corp.read(installation, wecom, tag_ids=tuple(question.tag_ids))


@receives(messages.TagChanged, read=changed_tags)
def tags_changed(session: Session, message: messages.TagChanged, listing: corp.Listing | None) -> None:
    if listing is None:
        corp.gone(session, message.id, is_group=message.is_group)
    else:
        corp.take(session, listing)


@receives(TagsAsked, read=asked_tags)
def tags_told(session: Session, question: TagsAsked, listing: corp.Listing) -> None:
    if corp.take(session, listing):  # else reading the relation again would end here again
        inbox.ask(session, ProfileAsked(question.external_userid))


@pulls("corp tags", rank=10)
def corp_tags(installation: Installation, wecom: WeCom, report: Report) -> int:
    """All tag groups and tags of the corp; returns how many tags."""
    listing = corp.read(installation, wecom)
    with installation.transaction("sync") as session:
        corp.take(session, listing)
    return sum(len(group["tag"]) for group in listing.groups)


@reads_follows(before=push.next_number)
def relation_read(session: Session, contact: Contact, follow: Follow, at: datetime, number: int) -> None:
    inbound.take(session, contact, follow, at, number)


@on(ContactAdded)
def added(session: Session, event: ContactAdded) -> None:
    assert event.customer_id is not None
    push.customer(session, event.customer_id)


@on(ContactCompleted)
def completed(session: Session, event: ContactCompleted) -> None:
    assert event.customer_id is not None
    push.customer(session, event.customer_id)


@on(ContactLeft)
def left(session: Session, event: ContactLeft) -> None:
    push.forget(session, _contact_id(session, event.external_userid, event.userid))


@on(ContactRemoved)
def removed(session: Session, event: ContactRemoved) -> None:
    push.forget(session, _contact_id(session, event.external_userid, event.userid))


@on(CustomersMerged)
def joined(session: Session, event: CustomersMerged) -> None:
    assert event.customer_id is not None
    merged.join(session, event.from_id, event.customer_id, event.merge_id)


@on(MergeUndone)
def parted(session: Session, event: MergeUndone) -> None:
    assert event.customer_id is not None
    merged.part(session, event.from_id, event.customer_id, event.merge_id)


@settles("mark_tag")
def pushed(session: Session, row: OutboxRow) -> None:
    push.settled(session, row)


@settles("add_corp_tag")
def made(session: Session, row: OutboxRow) -> None:
    groups.made_in_wecom(session, row)


@settles("del_corp_tag")
def deleted(session: Session, row: OutboxRow) -> None:
    groups.deleted_in_wecom(session, row)


def _contact_id(session: Session, external_userid: str, userid: str) -> int:
    which = (Contact.external_userid == external_userid, Contact.userid == userid)
    return session.scalars(select(Contact.id).where(*which)).one()
