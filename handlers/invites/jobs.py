"""Clock work and later work of invites."""

from sqlalchemy.orm import Session

from bot.core.jobs import job
from bot.core.ticks import every
from handlers.invites import service


@job()
def deliver(session: Session, *, invitation_id: int) -> None:
    """Send an invitation that no welcome has taken along."""
    service.deliver(session, invitation_id)


@every(600)
def remind(session: Session) -> None:
    """Remind once of what was not taken up."""
    service.remind(session)
