"""The scheduler: calls what is due by the clock. Any number may run; one, which holds an advisory lock, is active."""

import threading

import structlog
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.core import events, jobs, pulse, ticks
from bot.core.installation import Installation
from bot.core.jobs.failures import forget_old
from bot.core.jobs.perform import pull_forward
from bot.core.ticks import Tick

log = structlog.get_logger(__name__)

ACTIVE = 20_260_102  # the advisory lock of the active scheduler
TURN_SECONDS = 1.0
TURN_MOST_SECONDS = 60.0  # to find out what is due, or that the database is away; a tick names its own time
STANDBY_SECONDS = 5.0  # between two attempts of one in waiting to become the active one
POOL = 4


def make_partitions(session: Session) -> None:
    events.make_partitions(session.connection())


# Sweeping is no job, since a job can stall itself, and then nobody is left to notice.
HOUSE = (
    Tick("house.sweep_jobs", jobs.sweep, seconds=5),
    Tick("house.make_partitions", make_partitions, seconds=3600),
    Tick("house.forget_old_progress", forget_old, expression="20 3 * * *"),
)
VIRTUAL = (Tick("house.pull_jobs_forward", pull_forward, seconds=1),)


def run(installation: Installation, stop: threading.Event) -> int:
    """Stand by until no other scheduler is active, then call what is due, until `stop`; returns the exit status."""
    while not stop.is_set():
        pulse.turned(TURN_MOST_SECONDS)
        try:
            with installation.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
                while _active(connection) and not stop.wait(TURN_SECONDS):
                    turn(installation)
                    pulse.turned(TURN_MOST_SECONDS)
        except DBAPIError as error:
            log.warning("the database is away", error=str(error).split("\n")[0])
        stop.wait(STANDBY_SECONDS)
    return 0


def turn(installation: Installation) -> int:
    """Call every tick that is due, the house's own first; returns how many were."""
    house = HOUSE + (VIRTUAL if installation.settings.clock == "shared" else ())
    return ticks.run(installation, house) + ticks.run(installation)


def _active(connection: Connection) -> bool:
    """Does this connection hold the lock, now or already? Asking also shows that it still lives."""
    held = text("SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND pid = pg_backend_pid() AND objid = :lock")
    if connection.execute(held, {"lock": ACTIVE}).first():
        return True
    return bool(connection.scalar(text("SELECT pg_try_advisory_lock(:lock)"), {"lock": ACTIVE}))
