"""Running a claimed job: its effect and the settling of its row are one transaction.

The last statement before each commit takes the job's row and asks whether it is still this worker's claim. A worker
that was frozen, declared dead and wakes up finds it is not, and its transaction is undone; so whatever dies or sleeps
in between, each call has one effect. Procrastinate is only left the fetching.
"""

import threading
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import structlog
from procrastinate import sql
from sqlalchemy import text
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Refusal
from bot.core.installation import Installation
from bot.core.jobs.declare import CAUSE, Job, jobs
from bot.core.jobs.failures import MOST_ATTEMPTS, fail, keep_error, put_back
from bot.core.jobs.progress import Progress

log = structlog.get_logger(__name__)

LONGEST_WAIT = 256  # seconds between two attempts; 12 attempts outlast half an hour without a database

_OURS = "id = :id AND status = 'doing' AND worker_id = :worker AND attempts = :attempts"
_take = text(f"SELECT id FROM procrastinate_jobs WHERE {_OURS} FOR UPDATE")  # noqa: S608  # a constant
_delete = text(f"DELETE FROM procrastinate_jobs WHERE {_OURS} RETURNING id")  # noqa: S608
_pull_forward = text("UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo' AND scheduled_at <= :now")


@dataclass(frozen=True)
class Claim:
    """One fetched row: the fence is that worker and attempt still stand in it when the work is done."""

    id: int
    name: str
    kwargs: dict[str, Any]
    attempts: int
    worker: int

    @property
    def fence(self) -> dict[str, int]:
        return {"id": self.id, "worker": self.worker, "attempts": self.attempts}


class NotOurs(Exception):
    """The job was given to another worker meanwhile; what this one did is undone."""


class UnknownJob(Exception):
    """No feature of this program has a job of that name; perhaps a newer program enqueued it."""


def perform(installation: Installation, claim: Claim, stopping: threading.Event | None = None) -> Exception | None:
    """Run a claimed job to its end, chunk by chunk, and settle its row; returns the error it failed with.

    A database error puts the job back with back-off, any other makes it failed. stopping: put a chunked job back, with
    its cursor, after the chunk under way. Raises UnknownJob, and database errors where not even that can be kept.
    """
    job = next((job for job in jobs if job.name == claim.name), None)
    if job is None:
        raise UnknownJob(f"this program has no job named {claim.name}")
    try:
        while _step(installation, job, claim, stopping):
            pass
    except NotOurs:
        log.warning("another worker has taken the job over", job=claim.name, id=claim.id)
    except Exception as error:
        _failed(installation, claim, error)
        return error
    return None


def run_due(installation: Installation) -> int:
    """Run every job that is due on `core.clock` in this process, one after the other; returns how many. For tests.

    Raises the first job's error, once the job is settled as a worker would settle it.
    """
    count = 0
    with installation.transaction("system") as session:
        pull_forward(session)
        worker = session.scalar(text("SELECT worker_id FROM procrastinate_register_worker_v1()"))
    try:
        while claim := _fetch(installation, worker):
            error = perform(installation, claim)
            count += 1
            if error is not None:
                raise error
    finally:
        with installation.transaction("system") as session:
            session.execute(text("SELECT procrastinate_unregister_worker_v1(:worker)"), {"worker": worker})
    return count


def pull_forward(session: Session) -> None:
    """Make due what the rules' clock, where it was advanced, has made due: Procrastinate reads the system's."""
    session.execute(_pull_forward, {"now": clock.now()})


def _step(installation: Installation, job: Job, claim: Claim, stopping: threading.Event | None) -> bool:
    """One call of the job in its own transaction; True if another chunk is to follow."""
    kwargs = dict(claim.kwargs)
    with installation.transaction(f"job:{job.name}") as session:
        session.info["cause"] = kwargs.pop(CAUSE, None)
        more = False
        if job.chunked:
            progress = session.get_one(Progress, claim.id, with_for_update=True)
            more = job.function(session, progress, **kwargs)
            progress.turn("running" if more else "done")
        else:
            job.function(session, **kwargs)
            if claim.attempts and (failed_before := session.get(Progress, claim.id)):
                failed_before.turn("done")
        session.flush()
        if session.execute(_take if more else _delete, claim.fence).first() is None:
            raise NotOurs
        if more and stopping is not None and stopping.is_set():
            put_back(session, claim.id, counted=False)
            more = False
    return more


def _failed(installation: Installation, claim: Claim, error: Exception) -> None:
    again = isinstance(error, (OperationalError, InterfaceError)) and claim.attempts < MOST_ATTEMPTS
    said = str(error) if isinstance(error, Refusal) else f"{type(error).__name__}: {error}"
    reason = said.split("\n")[0][:500]
    if again:
        log.warning("a job met a database error and will run again", job=claim.name, id=claim.id, error=reason)
    else:
        log.error("a job failed", job=claim.name, id=claim.id, exc_info=error)
    with installation.transaction(f"job:{claim.name}") as session:
        if session.execute(_take, claim.fence).first() is None:
            return
        if again:
            keep_error(session, claim.id, claim.name, "waiting", reason)
            wait = timedelta(seconds=min(2**claim.attempts, LONGEST_WAIT))
            put_back(session, claim.id, at=datetime.now(UTC) + wait)
        else:
            fail(session, claim.id, claim.name, reason)


def _fetch(installation: Installation, worker: int | None) -> Claim | None:
    with installation.transaction("system") as session:
        query = session.connection().exec_driver_sql(sql.queries["fetch_job"], {"queues": None, "worker_id": worker})
        row = query.mappings().one()
        if row["id"] is None:
            return None
        return Claim(row["id"], row["task_name"], row["args"], row["attempts"], row["worker_id"])
