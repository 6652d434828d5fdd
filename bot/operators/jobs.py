"""Clock work of the operators: the audit is sealed once a minute, sessions that ended are forgotten."""

from sqlalchemy.orm import Session

from bot.core.ticks import every
from bot.operators import audit, sessions


@every(60)
def seal_audit(session: Session) -> None:
    audit.seal(session)


@every(3600)
def forget_sessions(session: Session) -> None:
    sessions.forget_sessions(session)
