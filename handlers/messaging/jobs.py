"""Clock work of messaging."""

from sqlalchemy.orm import Session

from bot.core.ticks import every
from handlers.messaging import service


@every(600)
def expire_deliveries(session: Session) -> None:
    service.expire(session)
