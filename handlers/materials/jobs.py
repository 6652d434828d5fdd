"""Clock work of materials."""

from sqlalchemy.orm import Session

from bot.core.ticks import cron, every
from handlers.materials import media, service


@every(3600)
def renew_media(session: Session) -> None:
    media.renew(session)


@cron("40 3 * * *")
def sweep_files(session: Session) -> None:
    service.sweep(session)
