"""The nightly scoring, and tagging those whom it moved."""

from sqlalchemy.orm import Session

from bot.core.jobs import drain, enqueue, job
from bot.core.ticks import cron
from tags.rfm import service


@cron("30 2 * * *")
def nightly(session: Session) -> None:
    """Score everybody anew."""
    begin(session)


def begin(session: Session) -> None:
    """Let everybody be scored anew soon, once however often it is asked for."""
    enqueue(session, recompute)


@job(queue="bulk", once=True)
def recompute(session: Session) -> None:
    """Scores and edges, in one transaction: a killed worker leaves nothing, and the next begins again."""
    service.recompute(session)
    enqueue(session, retag)


@drain(lock="rfm.retag")
def retag(session: Session) -> int:
    """Tags of those whose class moved, some at a time."""
    return service.retag(session)
