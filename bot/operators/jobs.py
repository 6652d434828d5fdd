"""Clock work of the operators: audit sealed each minute, ended sessions forgotten, invariants verified nightly."""

from sqlalchemy.orm import Session

from bot.core.checks import checks
from bot.core.errors import Refusal
from bot.core.jobs import enqueue, job
from bot.core.ticks import cron, every
from bot.operators import audit, sessions

MOST_NAMED = 20


class Differs(Refusal):
    """What the records say and what is kept differ; the text names the first places."""


@every(60)
def seal_audit(session: Session) -> None:
    audit.seal(session)


@every(3600)
def forget_sessions(session: Session) -> None:
    sessions.forget_sessions(session)


@cron("30 4 * * *")
def verify_nightly(session: Session) -> None:
    enqueue(session, verify)


@job(queue="bulk", once=True)
def verify(session: Session) -> None:
    """As `fugou verify`; a difference leaves this job among the failed ones, where operators see it and its words."""
    found = [f"{check.name}: {said}" for check in checks for said in check.run(session)]
    if found:
        raise Differs(f"{len(found)} differences: " + "; ".join(found[:MOST_NAMED]))
