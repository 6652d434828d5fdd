"""What welcomes do when somebody was added, and when WeCom has answered."""

import structlog
from sqlalchemy.orm import Session

from bot.core.events import on
from bot.core.installation import Installation
from bot.wecom import messages
from bot.wecom.client import WeCom
from bot.wecom.errors import WeComError
from bot.wecom.inbox import receives
from bot.wecom.outbox import OutboxRow, settles
from handlers.welcome import service
from tags.people import staff
from tags.people.events import ContactAdded, WelcomeCodeCame

log = structlog.get_logger(__name__)


def introduce(installation: Installation, wecom: WeCom, message: messages.ContactAdded) -> None:
    """A welcome names the member: the name of one whose first customer this is, is read before."""
    if not staff.stale(installation, message.userid):
        return
    try:
        found = staff.of_get(wecom.app.user_get(message.userid))
    except WeComError as error:
        log.info("welcomed without the member's name", userid=message.userid, error=str(error))
        return
    with installation.transaction("system") as session:
        staff.describe(session, found)


@receives(messages.ContactAdded, read=introduce)
def introduced(session: Session, message: messages.ContactAdded, read: None) -> None:
    """The reading did it all: what is said is decided by the event that people announce."""


@on(ContactAdded)
def added(session: Session, event: ContactAdded) -> None:
    service.welcome(session, event)


@on(WelcomeCodeCame)
def code_came(session: Session, event: WelcomeCodeCame) -> None:
    service.code_came(session, event)


@settles("send_welcome_msg")
def settled(session: Session, row: OutboxRow) -> None:
    service.settled(session, row)
