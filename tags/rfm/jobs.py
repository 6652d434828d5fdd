"""The nightly scoring, and tagging those whom it moved."""

from sqlalchemy.orm import Session

from bot.core.jobs import Progress, chunked, enqueue, job
from bot.core.ticks import cron
from tags.rfm import service


@cron("30 2 * * *")
def nightly(session: Session) -> None:
    """Score everybody anew."""
    begin(session)


def begin(session: Session) -> None:
    """Let everybody be scored anew soon, once however often it is asked for."""
    enqueue(session, recompute, queueing_lock="rfm.recompute")


@job(queue="bulk")
def recompute(session: Session) -> None:
    """Scores and edges, in one transaction: a killed worker leaves nothing, and the next begins again."""
    service.recompute(session)
    enqueue(session, retag)


@chunked(lock="rfm.retag")
def retag(session: Session, progress: Progress) -> bool:
    """Tags of those whose class moved, some at a time."""
    done = service.retag(session)
    progress.advance(done, None)
    return done > 0
