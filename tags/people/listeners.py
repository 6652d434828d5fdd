"""What WeCom tells of members and customers, and the questions of our own that it answers (wecom.md §2.1, §3.3).

What is needed from the API is read before the transaction. A welcome has 20 seconds, so an adding waits for her profile
for `PATIENCE_S` at most, and goes on without it; one that has queued for longer than `IN_TIME` does not wait at all, so
that a burst is welcomed within its seconds, and her profile is read afterwards (W1).
"""

from datetime import timedelta

import structlog
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import Installation
from bot.wecom import messages
from bot.wecom.client import WeCom
from bot.wecom.errors import Refused, WeComError
from bot.wecom.inbox import receives
from bot.wecom.transport import READ_S
from tags.people import relations, staff
from tags.people.profile import Reading, of_get, read
from tags.people.relations import ProfileAsked
from tags.people.staff import Member, MemberAsked

log = structlog.get_logger(__name__)

PATIENCE_S = 3.0
IN_TIME = timedelta(seconds=8)


def profile_in_time(installation: Installation, wecom: WeCom, message: messages.ContactAdded) -> Reading | None:
    """Her profile for the welcome, None where it can't be had in time; of a half relation the API says nothing."""
    if message.half:
        return None
    if clock.now() - message.at > IN_TIME:
        return None
    try:
        return _profile(installation, wecom, message.external_userid, PATIENCE_S)
    except WeComError as error:
        log.info("added without a profile", external_userid=message.external_userid, error=str(error))
        return None


def profile(installation: Installation, wecom: WeCom, message: messages.ContactEdited | ProfileAsked) -> Reading | None:
    """Her profile; None where WeCom has none for us, since she is nobody's contact any more or a half one (84061)."""
    try:
        return _profile(installation, wecom, message.external_userid)
    except Refused as error:
        log.info("no profile", external_userid=message.external_userid, error=str(error))
        return None


def member(installation: Installation, wecom: WeCom, message: MemberAsked | messages.ContactDeleted) -> Member | None:
    """The member, where he is not known or not lately read; None where he is, or WeCom does not let us see him."""
    if not staff.stale(installation, message.userid):
        return None
    try:
        return staff.of_get(wecom.app.user_get(message.userid))
    except Refused as error:
        log.info("no member", userid=message.userid, error=str(error))
        return None


@receives(messages.ContactAdded, read=profile_in_time)
def added(session: Session, message: messages.ContactAdded, reading: Reading | None) -> None:
    relations.added(
        session, external_userid=message.external_userid, userid=message.userid, at=message.at, half=message.half,
        state=message.state, welcome_code=message.welcome_code, reading=reading,
    )  # fmt: skip


@receives(messages.ContactEdited, read=profile)
def edited(session: Session, message: messages.ContactEdited, reading: Reading | None) -> None:
    if reading:
        relations.take_readings(session, reading, by=message.userid, at=message.at)


@receives(ProfileAsked, read=profile)
def answered(session: Session, question: ProfileAsked, reading: Reading | None) -> None:
    if reading:
        relations.take_readings(session, reading)


@receives(messages.FollowUserDeleted)
def left(session: Session, message: messages.FollowUserDeleted) -> None:
    relations.ended(
        session, external_userid=message.external_userid, userid=message.userid, at=message.at, how="customer_left"
    )


@receives(messages.ContactDeleted, read=member)
def removed(session: Session, message: messages.ContactDeleted, found: Member | None) -> None:
    if found:
        staff.describe(session, found)
    how = "transferred" if message.transferred else "staff_left"
    relations.ended(session, external_userid=message.external_userid, userid=message.userid, at=message.at, how=how)


@receives(messages.TransferFailed)
def transfer_failed(session: Session, message: messages.TransferFailed) -> None:
    relations.transfer_failed(
        session, external_userid=message.external_userid, userid=message.userid, at=message.at, reason=message.reason
    )


@receives(MemberAsked, read=member)
def introduced(session: Session, question: MemberAsked, found: Member | None) -> None:
    if found:
        staff.describe(session, found)


def _profile(installation: Installation, wecom: WeCom, external_userid: str, timeout_s: float = READ_S) -> Reading:
    return read(installation, lambda: (of_get(wecom.contact.get(external_userid, timeout_s=timeout_s)),))
