"""The worker's lanes: one Procrastinate worker a queue, all in one process, jobs in threads."""

import asyncio
import signal
import threading
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import psycopg
import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from procrastinate.jobs import Job as Row
from procrastinate.jobs import Status
from procrastinate.manager import JobManager, NotificationCallback
from sqlalchemy import make_url

from bot.core import db, pulse
from bot.core.installation import Installation
from bot.core.jobs.declare import LANES, Job, jobs
from bot.core.jobs.failures import DEAD_AFTER_SECONDS, HEARTBEAT_SECONDS, MOST_ATTEMPTS
from bot.core.jobs.perform import Claim, perform

log = structlog.get_logger(__name__)

THREADS = sum(LANES.values())
UNKNOWN_WAIT = timedelta(seconds=60)  # a dozen of them is time enough to bring every worker to the newer program
POOL_SECONDS = 5.0  # wait for a connection; a fetch that waits longer holds up a stop
AWAY_SECONDS = 1.0  # between two attempts to reach the database
TURN_SECONDS = 60.0  # nothing here holds up the loop; jobs have threads of their own
POLL_SECONDS = 1.0  # for jobs that become due; new ones announce themselves


def run(installation: Installation) -> bool:
    """Run jobs until SIGTERM or SIGINT, then finish what is under way; a chunked job stops after its chunk.

    Call it in the main thread; `installation` wants a pool of `THREADS`. False: a lane ended by itself, as it does when
    it was frozen for so long that it was declared dead, and the process should be started anew.
    """
    return asyncio.run(_run(installation))


async def _run(installation: Installation) -> bool:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(THREADS))  # the default, cpu + 4, would leave fetched jobs waiting
    stopping = threading.Event()
    app = _app(installation, stopping)
    async with app.open_async():
        lanes = [asyncio.create_task(_lane(app, queue, size)) for queue, size in LANES.items()]

        def stop() -> None:
            stopping.set()
            for lane in lanes:
                lane.cancel()  # a cancelled worker stops fetching and waits for its jobs

        for sign in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(sign, stop)
        turning = asyncio.create_task(_turn())
        await asyncio.wait(lanes, return_when=asyncio.FIRST_COMPLETED)
        asked = stopping.is_set()
        stop()
        await asyncio.wait(lanes)
        turning.cancel()
    return asked


async def _turn() -> None:
    while True:
        pulse.turned(TURN_SECONDS)
        await asyncio.sleep(POLL_SECONDS)


async def _lane(app: App, queue: str, size: int) -> None:
    await app.run_worker_async(
        queues=[queue], concurrency=size, name=queue, install_signal_handlers=False,
        fetch_job_polling_interval=POLL_SECONDS,
        update_heartbeat_interval=HEARTBEAT_SECONDS, stalled_worker_timeout=DEAD_AFTER_SECONDS,
    )  # fmt: skip


def _app(installation: Installation, stopping: threading.Event) -> App:
    url = make_url(installation.database_url).set(drivername="postgresql").update_query_dict(db.WATCHED)
    conninfo = url.render_as_string(hide_password=False)
    connector = PsycopgConnector(conninfo=conninfo, min_size=1, max_size=2 * len(LANES), timeout=POOL_SECONDS)
    app = App(connector=connector)
    app.job_manager = _Manager(connector)
    for job in jobs:
        _register(app, job, installation, stopping)
    return app


def _register(app: App, job: Job, installation: Installation, stopping: threading.Event) -> None:
    def run_one(context: JobContext, /, **kwargs: object) -> None:
        row = context.job
        assert row.id is not None
        assert row.worker_id is not None
        perform(installation, Claim(row.id, row.task_name, kwargs, row.attempts, row.worker_id), stopping)

    app.task(name=job.name, queue=job.queue, pass_context=True)(run_one)


class _Manager(JobManager):
    """Procrastinate's own statements, made to outlast a database that is away.

    As they are, a heartbeat that fails once never beats again (the worker looks dead and its jobs go round in circles),
    the first failed fetch ends the worker, and a job that can't be settled stays `doing` under a living worker.
    """

    async def fetch_job(self, queues: Iterable[str] | None, worker_id: int) -> Row | None:
        try:
            return await super().fetch_job(queues, worker_id)
        except ConnectorException as error:
            await _away(error)
            return None

    async def update_heartbeat(self, worker_id: int) -> None:
        try:
            await super().update_heartbeat(worker_id)
        except ConnectorException as error:
            await _away(error)

    async def listen_for_jobs(
        self, *, on_notification: NotificationCallback, queues: Iterable[str] | None = None
    ) -> None:
        while True:
            try:
                await super().listen_for_jobs(on_notification=on_notification, queues=queues)
            except ConnectorException as error:
                await _away(error)

    async def finish_job(self, job: Row, status: Status, delete_job: bool) -> None:
        """`perform` settles a job in the job's own transaction, so what did not fail in here is settled.

        What did could not be: the database was away, or a newer program enqueued a job this one doesn't know.
        """
        settled = status is Status.SUCCEEDED
        while not settled:
            try:
                if job.attempts < MOST_ATTEMPTS:
                    known = any(job.task_name == one.name for one in jobs)
                    await self.retry_job(job, retry_at=datetime.now(UTC) + (timedelta() if known else UNKNOWN_WAIT))
                else:
                    await super().finish_job(job, status, delete_job)
                settled = True
            except ConnectorException as error:
                await _away(error)


async def _away(error: ConnectorException) -> None:
    """Wait a moment if the database could not be reached, else raise: a worker that was declared dead is to end."""
    if not isinstance(error.__cause__, psycopg.OperationalError):
        raise error
    log.warning("the database is away", error=str(error.__cause__).split("\n")[0])
    await asyncio.sleep(AWAY_SECONDS)
