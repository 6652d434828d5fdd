"""Silence by the clock, and everybody at night: a brand may have changed what silence means."""

from sqlalchemy.orm import Session

from bot.core.jobs import Progress, chunked, drain, enqueue
from bot.core.ticks import cron, every
from tags.lifecycle import service


@every(60)
def look(session: Session) -> None:
    """Begin to move on those who fell silent, where there are any."""
    if service.anybody_due(session):
        enqueue(session, silence)


@drain(lock="lifecycle.silence")
def silence(session: Session) -> int:
    """Those who fell silent, some at a time."""
    return service.fall_silent(session)


@cron("0 3 * * *")
def nightly(session: Session) -> None:
    """Look at every buyer."""
    enqueue(session, everybody)


@chunked(lock="lifecycle.everybody", once=True)
def everybody(session: Session, progress: Progress) -> bool:
    """Every buyer, by id, some at a time."""
    ids = service.buyers_after(session, progress.cursor or 0)
    service.keep(session, ids)
    progress.advance(len(ids), max(ids, default=None))
    return bool(ids)
