"""Clock work of materials."""

from sqlalchemy.orm import Session

from bot.core.ticks import every
from handlers.materials import media


@every(3600)
def renew_media(session: Session) -> None:
    media.renew(session)
