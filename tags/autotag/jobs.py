"""What comes by the clock: silences, hours."""

from datetime import datetime

from sqlalchemy.orm import Session

from bot.core.jobs import Progress, chunked, drain, enqueue
from bot.core.ticks import every
from tags.autotag import schedules, silences


@every(60)
def look(session: Session) -> None:
    """Begin to tell of who fell silent and of the hours that have come."""
    for days in silences.due(session):
        enqueue(session, silent, days=days)
    for rule, due_at in schedules.due(session):
        enqueue(session, scheduled, rule_id=rule.id, version=rule.version, due_at=due_at.isoformat())


@drain(lock="silence:{days}")
def silent(session: Session, *, days: int) -> int:
    """Those who have been silent for so many days, some at a time."""
    return silences.tell(session, days)


@chunked(lock="tag_rule:{rule_id}")
def scheduled(session: Session, progress: Progress, *, rule_id: int, version: int, due_at: str) -> bool:
    """Those whom a rule's condition means at its hour, some at a time."""
    told = schedules.tell(session, rule_id, version, datetime.fromisoformat(due_at), progress.cursor or 0)
    progress.advance(len(told), max(told, default=None))
    return bool(told)
