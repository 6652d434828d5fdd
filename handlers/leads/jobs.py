"""The pool by the clock: filled, taken back when a member's time is over, shared out in the morning."""

from sqlalchemy.orm import Session

from bot.core.jobs import drain, enqueue, job
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


@drain(lock="leads.expire")
def expire(session: Session) -> int:
    """Take leads back, some at a time."""
    return service.expire(session)


@cron("0 9 * * *")
def morning(session: Session) -> None:
    """Share out by the rules, in their order."""
    for rule in standing.everything(session):
        enqueue(session, share_out, rule_id=rule.id)


@job(lock="leads.share_out")
def share_out(session: Session, *, rule_id: int) -> None:
    """By one rule."""
    standing.run(session, rule_id)
