"""The nightly purge of fields that were deleted long enough ago."""

from sqlalchemy.orm import Session

from bot.core.ticks import cron
from tags.fields import service


@cron("40 3 * * *")
def purge(session: Session) -> None:
    service.purge(session)
