"""What went wrong: jobs that failed, listed and retried by hand; jobs of dead workers, found by the sweep."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from procrastinate import sql
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import NotFound
from bot.core.jobs.declare import CAUSE, jobs
from bot.core.jobs.progress import Progress

log = structlog.get_logger(__name__)

HEARTBEAT_SECONDS = 2.0
DEAD_AFTER_SECONDS = 6.0  # three heartbeats; with a sweep every 5 s a killed worker's job is back within 14 s
MOST_ATTEMPTS = 12
KEPT_DAYS = 30

_list = text("""
    SELECT job.id, job.task_name AS name, job.args, job.lock, job.attempts, progress.error, progress.changed_at AS at
    FROM procrastinate_jobs job LEFT JOIN job_progress progress ON progress.job_id = job.id
    WHERE job.status = 'failed' AND job.id < coalesce(:before, 9223372036854775807) ORDER BY job.id DESC LIMIT :limit
""")
_count = text("SELECT status::text, count(*) AS jobs FROM procrastinate_jobs GROUP BY status")
_put_back = text("""
    UPDATE procrastinate_jobs SET status = 'todo', scheduled_at = :at, attempts = attempts + :counted WHERE id = :id
""")
_forget = text("""
    DELETE FROM job_progress progress WHERE changed_at < :before
    AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs job WHERE job.id = progress.job_id)
""")
_put_down = text("""
    UPDATE procrastinate_jobs SET status = 'failed', attempts = attempts + 1 WHERE id = :id RETURNING args
""")
_drop = text("DELETE FROM procrastinate_jobs WHERE id = :id")


@dataclass(frozen=True)
class FailedJob:
    """A job that waits for a person. at: when it failed; None, as `error`, where its worker died without a word."""

    id: int
    name: str
    args: dict[str, Any]
    lock: str | None
    attempts: int
    error: str | None
    at: datetime | None


def failed(session: Session, limit: int = 50, before: int | None = None) -> Sequence[FailedJob]:
    """Failed jobs, newest first; `before` is the id of the last one of the page before."""
    rows = session.execute(_list, {"limit": limit, "before": before}).mappings()
    return [FailedJob(**row) for row in rows]


def retry(session: Session, job_id: int) -> None:
    """Let a failed job run again now. Raises NotFound where no failed job has that id."""
    row = session.execute(
        text("SELECT id FROM procrastinate_jobs WHERE id = :id AND status = 'failed' FOR UPDATE"), {"id": job_id}
    ).first()
    if row is None:
        raise NotFound(f"no failed job has the id {job_id}")
    put_back(session, job_id)


def counts(session: Session) -> dict[str, int]:
    """Jobs by status: `todo`, `doing`, `failed`; those that are done are not kept."""
    return {row.status: row.jobs for row in session.execute(_count)}


def sweep(session: Session) -> int:
    """Give the jobs of dead workers to the living; returns how many.

    Procrastinate leaves them `doing` for ever, and their lock taken. One whose workers died time and again is failed.
    """
    query = sql.queries["select_stalled_jobs_by_heartbeat"] + " FOR UPDATE OF job SKIP LOCKED"
    found = session.connection().exec_driver_sql(
        query, {"seconds_since_heartbeat": DEAD_AFTER_SECONDS, "queue": None, "task_name": None}
    )
    stalled = found.mappings().all()
    for row in stalled:
        log.warning("a worker died", job=row["task_name"], id=row["id"], attempts=row["attempts"])
        if row["attempts"] < MOST_ATTEMPTS:
            put_back(session, row["id"])
        else:
            fail(session, row["id"], row["task_name"], f"its worker died {row['attempts'] + 1} times")
    return len(stalled)


def forget_old(session: Session) -> None:
    """Delete the progress of jobs that were done more than `KEPT_DAYS` ago."""
    session.execute(_forget, {"before": clock.now() - timedelta(days=KEPT_DAYS)})


def put_back(session: Session, job_id: int, *, at: datetime | None = None, counted: bool = True) -> None:
    """Make a job wait again, until `at` (aware, system time) if given. counted: as an attempt.

    If another job with its `queueing_lock` waits already, that one does the work and this one goes.
    """
    try:
        with session.begin_nested():
            session.execute(_put_back, {"id": job_id, "at": at, "counted": int(counted)})
    except IntegrityError:
        session.execute(_drop, {"id": job_id})
    if progress := session.get(Progress, job_id):
        progress.turn("waiting", progress.error)


def fail(session: Session, job_id: int, name: str, error: str) -> None:
    """Make a job failed, with its reason, where a person finds it, and tell it so."""
    args = session.execute(_put_down, {"id": job_id}).scalar_one()
    keep_error(session, job_id, name, "failed", error)
    job = next((job for job in jobs if job.name == name), None)
    if job is not None and job.failed is not None:
        job.failed(session, error, **{key: value for key, value in args.items() if key != CAUSE})


def keep_error(session: Session, job_id: int, name: str, state: str, error: str) -> None:
    """Keep why a job's last attempt failed."""
    progress = session.get(Progress, job_id) or Progress.begun(job_id, name)
    progress.turn(state, error)
    session.add(progress)
