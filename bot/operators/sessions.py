"""Sessions: a row for each browser somebody is logged in with, found by the digest of its cookie."""

from datetime import timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.operators.models import Operator, OperatorSession
from bot.operators.secrets import digest, new_token

COOKIE = "fugou_operator"
IDLE = timedelta(hours=12)
LONGEST = timedelta(days=7)
NOTED_EVERY = timedelta(minutes=1)  # how often a busy session writes when it was seen


def open_session(session: Session, operator: Operator) -> str:
    """Log her in and return the cookie's value; her browser's former session is ended by `close_session`."""
    token, kept = new_token()
    now = clock.now()
    session.add(OperatorSession(digest=kept, operator_id=operator.id, created_at=now, seen_at=now))
    session.flush()
    return token


def read_session(session: Session, token: str) -> Operator | None:
    """Who is logged in with that cookie; None after 12 h without a request, 7 days, or the end of her account."""
    now = clock.now()
    row = session.scalar(
        select(OperatorSession).where(
            OperatorSession.digest == digest(token),
            OperatorSession.seen_at > now - IDLE,
            OperatorSession.created_at > now - LONGEST,
        )
    )
    if row is None or row.operator.closed_at is not None:
        return None
    if now - row.seen_at > NOTED_EVERY:
        row.seen_at = now
    return row.operator


def close_session(session: Session, token: str) -> None:
    """Log her out of this browser; again changes nothing."""
    session.execute(delete(OperatorSession).where(OperatorSession.digest == digest(token)))


def forget_sessions(session: Session) -> None:
    """Delete the rows of sessions that are over."""
    now = clock.now()
    over = (OperatorSession.seen_at <= now - IDLE) | (OperatorSession.created_at <= now - LONGEST)
    session.execute(delete(OperatorSession).where(over))
