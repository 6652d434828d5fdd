"""The address behind a member's app message: his page for one turn, as long as the turn lasts."""

from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import installation_of
from handlers.leads.models import HandOut, Lead

PURPOSE = "lead"


def link(session: Session, turn: HandOut) -> str:
    """The address of a turn, good until the turn is over."""
    installation = installation_of(session)
    token = installation.vault.sign(PURPOSE, turn.id, turn.due_at)
    return f"{installation.settings.public_url}/h5/lead?t={token}"


def of_token(session: Session, token: str) -> tuple[Lead, HandOut]:
    """The turn a link was made for. Raises ValueError for one that is not ours, or over."""
    turn = session.get_one(HandOut, int(installation_of(session).vault.read(PURPOSE, token, clock.now())))
    return session.get_one(Lead, turn.lead_id), turn
