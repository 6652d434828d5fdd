"""Jobs that leave a trace, take their time, fail on request."""

import time

from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.core.installation import installation_of
from bot.core.jobs import Progress, chunked, job


def did(session: Session, what: str) -> None:
    session.execute(text("INSERT INTO deeds (what, actor, cause) VALUES (:what, :actor, :cause)"),
                    {"what": what, "actor": session.info["actor"], "cause": session.info.get("cause")})  # fmt: skip


def say(session: Session, what: str) -> None:
    """Tell the test, outside the job's own transaction."""
    with installation_of(session).transaction("test") as other:
        other.execute(text("INSERT INTO said (what) VALUES (:what)"), {"what": what})


def permitted(session: Session) -> bool:
    """Has the test said so?"""
    return bool(session.scalar(text("SELECT count(*) FROM said WHERE what = 'permitted'")))


@job()
def note(session: Session, *, what: str) -> None:
    did(session, what)


@job(lock="customer:{customer}")
def step(session: Session, *, customer: int, number: int) -> None:
    did(session, f"{customer}:{number}")


@job()
def slow(session: Session, *, what: str, seconds: float) -> None:
    did(session, what)
    say(session, what)
    time.sleep(seconds)


@job()
def fail_until(session: Session, *, what: str, of_database: bool) -> None:
    did(session, what)
    if not permitted(session):
        if of_database:
            raise OperationalError("SELECT 1", {}, Exception("the connection is gone"))
        raise ZeroDivisionError("the till is empty")


@job(once=True)
def fail_once(session: Session, *, what: str) -> None:
    did(session, what)
    if not permitted(session):
        raise ZeroDivisionError("the till is empty")


@job()
def fail_late(session: Session, *, seconds: float) -> None:
    good = permitted(session)
    did(session, "paid")
    say(session, "started")
    time.sleep(seconds)
    if not good:
        say(session, "failing")
        raise ZeroDivisionError("the till was empty")


@job()
def meet(session: Session, *, people: int) -> None:
    """Ends when `people` of these run at once."""
    say(session, "here")
    for _ in range(200):
        if (session.scalar(text("SELECT count(*) FROM said WHERE what = 'here'")) or 0) >= people:
            return did(session, "met")
        time.sleep(0.05)
    raise TimeoutError("the others never came")


@chunked()
def count_up(session: Session, progress: Progress, *, until: int, trip_at: int = -1, seconds: float = 0) -> bool:
    number = progress.cursor or 0
    if number == trip_at and not permitted(session):
        raise ZeroDivisionError("tripped")
    did(session, str(number))
    say(session, f"chunk {number}")
    time.sleep(seconds)
    progress.total = until
    progress.advance(1, number + 1)
    return number + 1 < until
