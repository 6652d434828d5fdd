"""Clock work of messaging."""

from sqlalchemy.orm import Session

from bot.core.ticks import every
from handlers.messaging import notices, service


@every(600)
def expire_deliveries(session: Session) -> None:
    service.expire(session)


@every(10)
def tell_members(session: Session) -> None:
    notices.tell(session)
