"""Declaring jobs and enqueuing them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import wraps
from typing import Any

from procrastinate import SyncPsycopgConnector, tasks
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.manager import JobManager
from sqlalchemy.orm import Session

from bot.core.feature import Register, named
from bot.core.jobs.progress import Progress

LANES = {"default": 8, "bulk": 2}  # queue -> jobs at once in one worker; bulk is for what takes minutes

CAUSE = "_cause"  # the argument that carries the event whose listener enqueued the job

_manager = JobManager(SyncPsycopgConnector())  # never opened, only builds the SQL for the session's own connection


@dataclass(eq=False)
class Job:
    """A function a worker calls. `name` is what its rows keep, `points.expire` for `handlers.points.jobs.expire`.

    failed: called `(session, error, **kwargs)` in the transaction in which a call fails for good.
    """

    name: str
    function: Callable[..., Any]
    queue: str
    priority: int
    lock: str | None
    chunked: bool
    once: bool = False
    failed: Callable[..., None] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.function(*args, **kwargs)


jobs: Register[Job] = Register("jobs")


def job(
    *,
    queue: str = "default",
    priority: int = 0,
    lock: str | None = None,
    chunked: bool = False,
    once: bool = False,
    failed: Callable[..., None] | None = None,
) -> Callable[[Callable[..., Any]], Job]:
    """Mark a function `(session, **kwargs)` as a job; kwargs are JSON.

    priority: higher first, over all queues. lock: a name filled from the kwargs (`customer:{customer_id}`); jobs of one
    name run one after the other, in the order they were enqueued. once: at most one of its lock (without one: of the
    job) waits, so that a tick which finds it slow does not heap up more. failed: as `Job`'s.
    """
    if queue not in LANES:
        raise ValueError(f"queue is {queue!r}, expected one of {', '.join(LANES)}")

    def mark(function: Callable[..., Any]) -> Job:
        made = Job(named(function), function, queue, priority, lock, chunked, once, failed)
        return jobs.mark(made, made, function.__module__)

    return mark


def chunked(
    *,
    queue: str = "bulk",
    priority: int = 0,
    lock: str | None = None,
    once: bool = False,
    failed: Callable[..., None] | None = None,
) -> Callable[[Callable[..., Any]], Job]:
    """Mark a function `(session, progress, **kwargs) -> bool` that does one chunk and says whether there is more.

    Each chunk is a transaction that also moves `progress` (cursor, done, total), from which the next chunk, or another
    worker after a crash, goes on. Otherwise as `job`.
    """
    return job(queue=queue, priority=priority, lock=lock, chunked=True, once=once, failed=failed)


def drain(*, lock: str) -> Callable[[Callable[..., int]], Job]:
    """Mark a function `(session, **kwargs) -> int` that does some of what is due and says how much: a chunked job that
    is over when nothing was. A tick enqueues it where something is due; at most one of its lock waits.
    """

    def mark(function: Callable[..., int]) -> Job:
        @wraps(function)
        def chunk(session: Session, progress: Progress, **kwargs: Any) -> bool:
            done = function(session, **kwargs)
            progress.advance(done, None)
            return done > 0

        return chunked(lock=lock, once=True)(chunk)

    return mark


def enqueue(
    session: Session,
    job: Job,
    *,
    lock: str | None = None,
    priority: int | None = None,
    at: datetime | None = None,
    **kwargs: Any,
) -> int | None:
    """Write a job's row in the caller's transaction; returns its id, None if it is a job of which one waits already.

    lock, priority: instead of the job's own. at: aware, on `core.clock`; not before then. Raises ValueError for a lock
    together with `at`, which would hold every later job of that lock until then: enqueue the locked job when it is due.
    """
    lock = lock or (job.lock.format(**kwargs) if job.lock else None)
    if lock and at:
        raise ValueError(f"job {job.name} has the lock {lock!r} and is due at {at}, expected one or the other")
    if session.info.get("cause") is not None:
        kwargs[CAUSE] = session.info["cause"]
    queueing_lock = (lock or job.name) if job.once else None
    options = {"queue": job.queue, "priority": job.priority if priority is None else priority, "lock": lock,
               "queueing_lock": queueing_lock, "schedule_at": at}  # fmt: skip
    if queueing_lock is None:
        job_id = _defer(session, job, options, kwargs)
    else:
        try:
            with session.begin_nested():
                job_id = _defer(session, job, options, kwargs)
        except AlreadyEnqueued:
            return None
    if job.chunked:
        session.add(Progress.begun(job_id, job.name))
    return job_id


def _defer(session: Session, job: Job, options: Any, kwargs: dict[str, Any]) -> int:
    connection = session.connection().connection.driver_connection
    return tasks.configure_task(name=job.name, job_manager=_manager, connection=connection, **options).defer(**kwargs)
