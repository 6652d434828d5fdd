"""Work for later, as rows of the same PostgreSQL: a job exists exactly when the change that causes it does.

This package is the only one that knows Procrastinate. A job is one call to a service, marked in a feature's `jobs.py`:

    @job(lock="customer:{customer_id}")
    def expire(session: Session, *, customer_id: int) -> None:
        service.expire(session, customer_id)

    @chunked(queue="bulk")
    def plan(session: Session, progress: Progress, *, broadcast_id: int) -> bool:
        return service.plan_chunk(session, broadcast_id, progress)      # True while there is more

    enqueue(session, expire, customer_id=7)

A worker runs each call in a transaction of its own that also settles the job's row (`perform`), so its effect happens
exactly once whatever dies in between. A database error is retried with back-off, any other error is kept where a person
sees it (`failures`). Whatever is many goes in chunks: about 900 jobs a second are run on two cores.
"""

from bot.core.jobs.declare import LANES, Job, chunked, drain, enqueue, job, jobs
from bot.core.jobs.failures import FailedJob, counts, failed, retry, sweep
from bot.core.jobs.perform import run_due
from bot.core.jobs.progress import Progress

__all__ = [
    "LANES", "FailedJob", "Job", "Progress", "chunked", "counts", "drain", "enqueue", "failed", "job", "jobs", "retry",
    "run_due", "sweep",
]  # fmt: skip
