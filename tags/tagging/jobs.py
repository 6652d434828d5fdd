"""What takes long or comes by the clock."""

from sqlalchemy.orm import Session

from bot.core.jobs import Progress, chunked
from bot.core.ticks import every
from tags.tagging import service
from tags.tagging import strip as stripping


@chunked(lock="tag:{tag_id}")
def strip(session: Session, progress: Progress, *, tag_id: int) -> bool:
    """Take a deleted tag off everybody who has it."""
    return stripping.chunk(session, progress, tag_id)


@every(60)
def expire(session: Session) -> None:
    """Take off what has expired."""
    service.expire(session)
