"""The pool by the clock: filled, taken back when a member's time is over, shared out in the morning."""

from sqlalchemy.orm import Session

from bot.core.jobs import Progress, chunked, enqueue, job
from bot.core.ticks import cron, every
from handlers.leads import service, standing


@every(300)
def gather(session: Session) -> None:
    """Take in who came since; a share-out does so too."""
    service.gather(session)


@every(300)
def look(session: Session) -> None:
    """Begin to take back, where somebody's time is over."""
    if service.anybody_due(session):
        enqueue(session, expire)


@chunked(lock="leads.expire")
def expire(session: Session, progress: Progress) -> bool:
    """Take leads back, some at a time."""
    done = service.expire(session)
    progress.advance(done, None)
    return done > 0


@cron("0 9 * * *")
def morning(session: Session) -> None:
    """Share out by the rules."""
    enqueue(session, share_out)


@job(lock="leads.share_out")
def share_out(session: Session) -> None:
    standing.run(session)
