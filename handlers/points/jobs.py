"""Clock work of points."""

from sqlalchemy.orm import Session

from bot.core.jobs import drain, enqueue
from bot.core.ticks import every
from handlers.points import due


@every(60)
def look(session: Session) -> None:
    """Begin to bring accounts up to now where any is due; nothing depends on when, since each booking does so first."""
    if due.anything(session):
        enqueue(session, catch_up)


@drain(lock="points.catch_up")
def catch_up(session: Session) -> int:
    """Time out holds, activate pending points, let lots end: owner by owner, in that order (P1)."""
    return due.sweep(session)
