"""The channels a rule may ask of (T3)."""

from sqlalchemy.orm import Session

from handlers.livecodes import service
from handlers.livecodes.models import LiveCode
from tags.conditions.triggers import Choice, chooses


@chooses("state")
def states(session: Session, lang: str) -> list[Choice]:
    return [(one.state, one.name, "") for one in session.scalars(service.listing().order_by(LiveCode.id.desc()))]
