"""What welcomes do when somebody was added, and when WeCom has answered."""

from sqlalchemy.orm import Session

from bot.core.events import on
from bot.wecom.outbox import OutboxRow, settles
from handlers.welcome import service
from tags.people.events import ContactAdded, WelcomeCodeCame


@on(ContactAdded)
def added(session: Session, event: ContactAdded) -> None:
    service.welcome(session, event)


@on(WelcomeCodeCame)
def code_came(session: Session, event: WelcomeCodeCame) -> None:
    service.code_came(session, event)


@settles("send_welcome_msg")
def settled(session: Session, row: OutboxRow) -> None:
    service.settled(session, row)
