"""Clock work of live codes."""

from sqlalchemy.orm import Session

from bot.core.ticks import every
from handlers.livecodes import addings


@every(60)
def share_anew(session: Session) -> None:
    addings.share_anew(session)
