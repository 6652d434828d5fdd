"""Clock work of the web side."""

from sqlalchemy.orm import Session

from bot.core.ticks import every
from bot.web import idempotency


@every(3600)
def forget_idempotency_keys(session: Session) -> None:
    idempotency.forget(session)
