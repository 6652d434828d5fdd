"""What is done to many customers, some at a time."""

from sqlalchemy.orm import Session

from bot.core.jobs import Progress, chunked
from tags.people import bulk


@chunked(lock="bulk:{run_id}")
def go_through(session: Session, progress: Progress, *, run_id: int) -> bool:
    """The next customers of a bulk run."""
    return bulk.step(session, progress, run_id)


@chunked(lock="bulk:{run_id}")
def go_back(session: Session, progress: Progress, *, run_id: int) -> bool:
    """The next customers of whom a bulk run is taken back."""
    return bulk.step_back(session, progress, run_id)
