"""Comings and goings once a second; bitmaps written down now and then."""

from sqlalchemy.orm import Session

from bot.core.jobs import enqueue, job
from bot.core.ticks import every
from tags.segments import keeping, service, snapshots


@every(1)
def look(session: Session) -> None:
    """Let whoever came or went since be told, where there is a segment."""
    if service.any_there(session):
        enqueue(session, keep)


@job(lock="segments.keep", once=True)
def keep(session: Session) -> None:
    """Some comings and goings, and the rest after them."""
    if keeping.step(session):
        enqueue(session, keep)


@every(600)
def write_down(session: Session) -> None:
    """Write the bitmaps down, so that a process that starts need not ask the tables."""
    if service.any_there(session):
        enqueue(session, snapshot)


@job(queue="bulk", once=True)
def snapshot(session: Session) -> None:
    """The bitmaps of the leaves in use."""
    keeping.write_down(session)


@every(3600)
def forget(session: Session) -> None:
    """Throw away changes that nobody looks back to."""
    snapshots.forget(session)
