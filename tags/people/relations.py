"""Follow relations follow WeCom (C5): what its events and its API tell becomes facts, and each effect happens once."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce
from bot.core.i18n import SOURCE, say
from bot.wecom import inbox
from tags.people import events, staff
from tags.people.identify import recognise, suggest_remarks
from tags.people.models import Contact, Customer
from tags.people.names import name_key
from tags.people.profile import Follow, Profile, Reading, follow_readers
from tags.people.rules import Change, Fact, Relation, with_fact
from tags.people.touches import touch

HISTORY = {"customer_left": "left", "staff_left": "removed", "transferred": "transferred"}


@dataclass(frozen=True)
class ProfileAsked:
    """Read this customer's profile (`externalcontact/get`) and take it in."""

    external_userid: str


def added(
    session: Session, *, external_userid: str, userid: str, at: datetime, half: bool, state: str, welcome_code: str,
    reading: Reading | None,
) -> None:  # fmt: skip
    """She and a member became friends, as an event told at `at`; half or full, whichever came first, is the adding.

    Announces ContactAdded, or what else the event turns out to be: ContactCompleted, ContactRecorded, WelcomeCodeCame.
    reading: her profile, None where it could not be read in time; then it is asked for.
    """
    staff.know(session, userid)
    profile = reading.profiles[0] if reading else None
    told = (profile.unionid, profile.name) if profile else ()
    customer_id = recognise(session, external_userid, *told)
    fact = Fact("half" if half else "full", int(at.timestamp()), welcome_code)
    contact, relation, change = _tell(session, customer_id, external_userid, userid, fact)
    if change is Change.ADDED:
        contact.state, contact.add_way = state, 0
    if reading:
        take_profile(session, customer_id, reading, by=userid, at=at, told=True)
    elif not half:
        inbox.ask(session, ProfileAsked(external_userid))
    if change is Change.ADDED:
        _announce_added(session, contact, relation, at=at, half=half, welcome_code=welcome_code)
    elif change is Change.LATE:
        _record_adding(session, contact, at)
    elif relation.active:
        _announce_more(session, contact, change, at=at, state=state, welcome_code=welcome_code)


def ended(session: Session, *, external_userid: str, userid: str, at: datetime, how: str) -> None:
    """The relation ended, as an event told at `at`. how: customer_left, staff_left or transferred.

    Announces ContactLeft or ContactRemoved once; the member hears that she left, his supervisor that he deleted her.
    """
    staff.know(session, userid)
    customer_id = recognise(session, external_userid)
    contact, _, change = _tell(session, customer_id, external_userid, userid, Fact(how, int(at.timestamp())))
    about = _about(contact)
    if change is Change.LATE:
        announce(session, events.ContactRecorded(**about, change=HISTORY[how]), at=at)
    if change is not Change.ENDED:
        return
    if how == "customer_left":
        announce(session, events.ContactLeft(**about), at=at)
        name = _name(session, contact)
        _tell_member(session, userid, say(SOURCE, "客户「%(name)s」把您删除了。", name=name), contact, at)
        return
    reason = "transferred" if how == "transferred" else "deleted"
    supervisor = staff.supervisor_of(session, userid) if reason == "deleted" else ""
    unseen = "" if supervisor or reason == "transferred" else "WeCom names no supervisor to alert"
    announce(session, events.ContactRemoved(**about, reason=reason), at=at, why=unseen)
    if supervisor:
        who = staff.names(session, [userid])[userid]
        text = say(SOURCE, "成员 %(staff)s 删除了客户「%(name)s」。", staff=who, name=_name(session, contact))
        _tell_member(session, supervisor, text, contact, at)


def transfer_failed(session: Session, *, external_userid: str, userid: str, at: datetime, reason: str) -> None:
    """A transfer to `userid` was refused; announces TransferFailed."""
    staff.know(session, userid)
    customer_id = recognise(session, external_userid)
    failed = events.TransferFailed(
        customer_id=customer_id, external_userid=external_userid, userid=userid, reason=reason
    )
    announce(session, failed, at=at)


def take_readings(session: Session, reading: Reading, *, by: str = "", at: datetime | None = None) -> None:
    """Take in profiles as they were read; relations nobody told of are recorded, without effects.

    by, at: the member whose change made us read, and when that was (aware UTC); where nobody knows, it was now.
    """
    for profile in reading.profiles:
        customer_id = recognise(session, profile.external_userid, profile.unionid, profile.name)
        take_profile(session, customer_id, Reading((profile,), reading.notes), by=by, at=at)


def take_profile(
    session: Session, customer_id: int, reading: Reading, *, by: str, at: datetime | None, told: bool = False
) -> None:
    """Take in one profile of a customer who is locked. told: the relation with `by` is known from an event."""
    (profile,) = reading.profiles
    _describe(session, customer_id, profile)
    staff.know(session, *(follow.userid for follow in profile.follows))
    for follow in profile.follows:
        known = told and follow.userid == by
        contact = _follow(session, customer_id, profile.external_userid, follow, known)
        if contact is None or contact.status != "active":
            continue
        contact.remark, contact.description, contact.read_at = follow.remark, follow.description, clock.now()
        suggest_remarks(session, customer_id, follow.userid, list(follow.mobiles))
        changed_at = at if at and follow.userid == by else clock.now()
        for reader, note in zip(follow_readers, reading.notes, strict=True):
            reader.take(session, contact, follow, changed_at, note)


def end_unlisted(session: Session, userids: Iterable[str], before: datetime) -> int:
    """End the relations of these members that a full listing begun at `before` did not show; returns how many."""
    unlisted = select(Contact).where(
        Contact.userid.in_(list(userids)), Contact.status == "active", ~Contact.half, Contact.added_at < before,
        (Contact.read_at.is_(None)) | (Contact.read_at < before),
    )  # fmt: skip
    gone = list(session.scalars(unlisted))
    for contact in gone:
        ended(session, external_userid=contact.external_userid, userid=contact.userid, at=before, how="staff_left")
    return len(gone)


def active_contacts(session: Session, customer_id: int) -> list[Contact]:
    """Her active relations, newest first, half ones too."""
    query = select(Contact).where(Contact.customer_id == customer_id, Contact.status == "active")
    return list(session.scalars(query.order_by(Contact.added_at.desc(), Contact.id.desc())))


def _follow(session: Session, customer_id: int, external_userid: str, follow: Follow, told: bool) -> Contact | None:
    """The contact of a relation that was read; what no event has told yet becomes a fact."""
    if told or not follow.created_at:
        query = select(Contact).where(Contact.external_userid == external_userid, Contact.userid == follow.userid)
        contact = session.scalar(query)
        if contact is not None:
            contact.add_way, contact.state = follow.add_way or contact.add_way, contact.state or follow.state
        return contact
    contact, _, change = _tell(session, customer_id, external_userid, follow.userid, Fact("seen", follow.created_at))
    if change is Change.COMPLETED:
        announce(session, events.ContactCompleted(**_about(contact)))
    if change is Change.LATE:
        contact.add_way, contact.state = follow.add_way, follow.state
        _record_adding(session, contact, datetime.fromtimestamp(follow.created_at, UTC))
    return contact


RELATION = select(Contact).where(Contact.external_userid == bindparam("her"), Contact.userid == bindparam("member"))
RELATION = RELATION.with_for_update()


def _tell(
    session: Session, customer_id: int, external_userid: str, userid: str, fact: Fact
) -> tuple[Contact, Relation, Change]:
    """Add a fact to a relation of a customer who is locked."""
    contact = session.scalar(RELATION, {"her": external_userid, "member": userid})
    if contact is None:
        contact = Contact(
            customer_id=customer_id, external_userid=external_userid, userid=userid, facts=[], state="", add_way=0,
            remark="", description="",
        )  # fmt: skip
        session.add(contact)
    facts, relation, change = with_fact([Fact(*one) for one in contact.facts], fact)
    contact.facts = [[one.kind, one.at, one.code] for one in facts]
    contact.status, contact.half = relation.status, relation.half
    contact.added_at = datetime.fromtimestamp(relation.added_at, UTC)
    contact.ended_at = None if relation.ended_at is None else datetime.fromtimestamp(relation.ended_at, UTC)
    session.flush()
    return contact, relation, change


def _announce_added(
    session: Session, contact: Contact, relation: Relation, *, at: datetime, half: bool, welcome_code: str
) -> None:
    _touch(session, contact, at)
    returning = "returning" if relation.nth > 1 else _new_or_returning(session, contact)
    came = events.ContactAdded(
        **_about(contact), customer=returning, state=contact.state, add_way=contact.add_way, half=half,
        welcome_code=welcome_code, added_at=at,
    )  # fmt: skip
    announce(session, came, at=at)


def _announce_more(
    session: Session, contact: Contact, change: Change, *, at: datetime, state: str, welcome_code: str
) -> None:
    """What a later event of an adding that was announced still tells."""
    if change is Change.COMPLETED:
        announce(session, events.ContactCompleted(**_about(contact)), at=at)
    if welcome_code:
        code = events.WelcomeCodeCame(**_about(contact), state=state, welcome_code=welcome_code, added_at=at)
        announce(session, code, at=at)


def _about(contact: Contact) -> dict[str, Any]:
    return {
        "customer_id": contact.customer_id, "external_userid": contact.external_userid, "userid": contact.userid,
    }  # fmt: skip


OTHERS = select(Contact.facts, Contact.added_at)
OTHERS = OTHERS.where(Contact.customer_id == bindparam("her"), Contact.id != bindparam("this"))


def _new_or_returning(session: Session, contact: Contact) -> str:
    """`new` if she had no earlier relation with any member; of two addings in one second the first told is earlier."""
    for facts, added_at in session.execute(OTHERS, {"her": contact.customer_id, "this": contact.id}):
        told = any(kind != "seen" for kind, _, _ in facts)
        if added_at < contact.added_at or (told and added_at == contact.added_at):
            return "returning"
    return "new"


def _record_adding(session: Session, contact: Contact, at: datetime) -> None:
    _touch(session, contact, at)
    announce(session, events.ContactRecorded(**_about(contact), change="added"), at=at)


def _touch(session: Session, contact: Contact, at: datetime) -> None:
    touch(
        session, contact.customer_id, "add_way", at=at, state=contact.state, add_way=contact.add_way,
        detail={"userid": contact.userid},
    )  # fmt: skip


def _describe(session: Session, customer_id: int, profile: Profile) -> None:
    """Her name, face and gender as WeCom shows them now; empty says nothing."""
    customer = session.get_one(Customer, customer_id)
    if profile.name and profile.name != customer.name:
        customer.name, customer.name_key = profile.name, name_key(profile.name)
    customer.avatar = profile.avatar or customer.avatar
    customer.gender = profile.gender or customer.gender


def _tell_member(session: Session, userid: str, text: str, contact: Contact, at: datetime) -> None:
    dedupe = f"ended:{contact.id}:{int(at.timestamp())}:{userid}"
    staff.tell(session, userid, text, dedupe=dedupe, customer_id=contact.customer_id)


def _name(session: Session, contact: Contact) -> str:
    return session.get_one(Customer, contact.customer_id).name or contact.remark or contact.external_userid
