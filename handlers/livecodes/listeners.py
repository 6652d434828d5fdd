"""What live codes do when somebody comes or goes, and when WeCom has answered."""

from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import on
from bot.wecom.outbox import OutboxRow, settles
from handlers.livecodes import addings, service
from tags.people.events import ContactAdded, ContactCompleted, ContactLeft, ContactRemoved


@on(ContactAdded)
def came(session: Session, event: ContactAdded) -> None:
    addings.came(session, event)


@on(ContactCompleted)
def completed(session: Session, event: ContactCompleted) -> None:
    addings.remark(session, event.external_userid, event.userid)


@on(ContactLeft)
def left(session: Session, event: ContactLeft) -> None:
    addings.left(session, event.external_userid, event.userid, clock.now())


@on(ContactRemoved)
def removed(session: Session, event: ContactRemoved) -> None:
    addings.left(session, event.external_userid, event.userid, clock.now())


@settles("add_contact_way")
@settles("update_contact_way")
@settles("del_contact_way")
def settled(session: Session, row: OutboxRow) -> None:
    code = service.settled(session, row)
    if code is not None and code.daily_cap is not None and row.state == "sent":
        addings.share(session, code.id)
