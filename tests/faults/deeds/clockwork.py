"""What happens by the clock: a beat that names its process, a nightly deed, one that fails."""

import os

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.core.ticks import cron, every
from deeds.jobs import did, permitted


@every(1)
def beat(session: Session) -> None:
    did(session, f"beat {os.getpid()}")


@every(600)
def errand(session: Session) -> None:
    did(session, "errand")


@cron("10 3 * * *")
def nightly(session: Session) -> None:
    did(session, "nightly")


@every(3600)
def stumble(session: Session) -> None:
    did(session, "stumbled through")
    if not permitted(session):
        session.execute(text("SELECT 1 / 0"))
