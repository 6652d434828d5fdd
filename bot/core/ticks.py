"""What happens by the clock: functions a scheduler calls, each in a transaction of its own.

    @every(60)
    def pull(session: Session) -> None: ...

    @cron("10 3 * * *")
    def nightly(session: Session) -> None: ...

A tick works from what is due in the tables, and its row says when it was last done; so a tick that was missed, by an
hour or by a week, is made up for once. Long work is enqueued as a job. Times are `core.clock`'s, in the brand's zone.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim
from sqlalchemy import select
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.core import clock, pulse
from bot.core.db import At, Base
from bot.core.errors import NotFound
from bot.core.feature import Register, named
from bot.core.installation import Installation

log = structlog.get_logger(__name__)

LONGEST_SECONDS = 600.0  # one tick; what takes longer is a job

AGAIN_AFTER = timedelta(seconds=60)  # a tick that failed; one that comes oftener keeps its own pace


class TickRow(Base):
    """When a tick was last done, and why it last failed."""

    __tablename__ = "ticks"
    name: Mapped[str] = mapped_column(primary_key=True)
    done_at: Mapped[At]
    failed_at: Mapped[At | None]
    error: Mapped[str | None]


@dataclass(frozen=True)
class Tick:
    """A function and its pace: `seconds` apart, or at the minutes a cron expression names."""

    name: str
    function: Callable[[Session], object]
    seconds: float | None = None
    expression: str | None = None

    def due(self, row: TickRow, now: datetime, zone: ZoneInfo) -> bool:
        """Is it time again? A clock that was set back does not hold it up."""
        if row.failed_at is not None and timedelta() <= now - row.failed_at < min(AGAIN_AFTER, self._pace):
            return False
        if self.expression is None:
            return abs(now - row.done_at) >= self._pace
        return next(CronSim(self.expression, row.done_at.astimezone(zone))) <= now

    @property
    def _pace(self) -> timedelta:
        return timedelta(seconds=self.seconds) if self.seconds is not None else timedelta.max


ticks: Register[Tick] = Register("ticks")

TickFunction = Callable[[Session], object]


def every(seconds: float) -> Callable[[TickFunction], TickFunction]:
    """Mark a function `(session)` to be called `seconds` after it was last done; the first time at once."""
    return lambda function: ticks.mark(function, Tick(named(function), function, seconds=seconds))


def cron(expression: str) -> Callable[[TickFunction], TickFunction]:
    """Mark a function `(session)` to be called at the brand's local times `expression` names (`10 3 * * *`)."""
    CronSim(expression, datetime(2026, 1, 1))  # noqa: DTZ001  # only checks the expression
    return lambda function: ticks.mark(function, Tick(named(function), function, expression=expression))


def run(installation: Installation, among: Iterable[Tick] = ticks) -> int:
    """Call each tick that is due, in order; returns how many were. One that fails is kept with its error and logged."""
    zone = installation.settings.timezone
    with installation.transaction("system") as session:
        rows = {row.name: row for row in session.scalars(select(TickRow))}
        due = [tick for tick in among if tick.due(rows.get(tick.name) or _new(session, tick), clock.now(), zone)]
    for tick in due:
        pulse.turned(LONGEST_SECONDS)
        _call(installation, tick, zone)
    return len(due)


def retry(session: Session, name: str) -> None:
    """Let a tick that failed be called with the next turn. Raises NotFound where none of that name has failed."""
    row = session.get(TickRow, name, with_for_update=True)
    if row is None or row.failed_at is None:
        raise NotFound(f"no tick named {name} has failed")
    row.failed_at = None


def _call(installation: Installation, tick: Tick, zone: ZoneInfo) -> None:
    try:
        with installation.transaction(f"tick:{tick.name}") as session:
            row = session.get_one(TickRow, tick.name, with_for_update=True)
            if tick.due(row, clock.now(), zone):  # else another scheduler has done it meanwhile
                tick.function(session)
                row.done_at, row.failed_at, row.error = clock.now(), None, None
    except Exception as error:
        log.exception("a tick failed", tick=tick.name)
        with installation.transaction("system") as session:
            row = session.get_one(TickRow, tick.name, with_for_update=True)
            row.failed_at, row.error = clock.now(), f"{type(error).__name__}: {error}".split("\n")[0][:500]


def _new(session: Session, tick: Tick) -> TickRow:
    """The row of a tick never seen before: done long ago if it goes by seconds, just now if by the hour."""
    row = TickRow(name=tick.name, done_at=clock.now() - timedelta(seconds=tick.seconds or 0))
    session.add(row)
    return row
