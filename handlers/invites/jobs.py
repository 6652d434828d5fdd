"""Clock work and later work of invites."""

from sqlalchemy.orm import Session

from bot.core.jobs import Progress, chunked, job
from bot.core.ticks import every
from handlers.invites import service


@job()
def deliver(session: Session, *, invitation_id: int) -> None:
    """Send an invitation that no welcome has taken along."""
    service.deliver(session, invitation_id)


@chunked(lock="segment group:{segment_group_id}")
def invite_the_rest(session: Session, progress: Progress, *, segment_group_id: int) -> bool:
    """Invite everybody who belongs to a segment group and never was, or could not be."""
    return service.invite_the_rest(session, progress, segment_group_id)


@every(60)
def let_in(session: Session) -> None:
    """Send what waited for room in a chat."""
    service.let_in(session)


@every(600)
def remind(session: Session) -> None:
    """Remind once of what was not taken up."""
    service.remind(session)
