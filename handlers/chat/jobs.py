"""Clock work of the chat."""

from sqlalchemy.orm import Session

from bot.core.ticks import every
from handlers.chat import handover


@every(60)
def take_back(session: Session) -> None:
    """Take back the conversations in which a person has been silent for too long."""
    handover.end_overdue(session)
