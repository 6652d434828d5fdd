"""Clock work of transfers."""

from sqlalchemy.orm import Session

from bot.core.ticks import cron, every
from bot.wecom import inbox
from handlers.transfers import service


@every(1800)
def read_back(session: Session) -> None:
    """Ask how the transfers went that wait; callbacks tell most of it before."""
    service.ask(session)


@cron("50 4 * * *")
def look_who_left(session: Session) -> None:
    """Ask for the customers of members who left the corp."""
    inbox.ask(session, service.UnassignedAsked())
