"""The one clock of rules, deadlines and windows (G3): system time plus an offset.

The offset is 0 in production. Where `FUGOU_CLOCK=shared` (tests and the demo) it is read from `DATA_DIR/run/clock`, a
file holding seconds as a decimal number, which the simulator's `/sim/clock` writes; so every process of an installation
lives in the same virtual time. Leases, heartbeats and time-outs of machinery use `time.monotonic()` instead.
"""

import os
import time
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path


class Clock:
    """System time plus an offset read from a file; without a file the offset is 0 unless `advance` moves it."""

    def __init__(self) -> None:
        self._file: Path | None = None
        self._stamp: tuple[int, int] | None = None
        self._offset = timedelta()

    def follow(self, file: Path | None) -> None:
        """Take the offset from `file` from now on (None: stop following, offset 0)."""
        self._file, self._stamp, self._offset = file, None, timedelta()

    def now(self) -> datetime:
        """The current moment, aware, in UTC."""
        if self._file is not None:
            self._read(self._file)
        return datetime.now(UTC) + self._offset

    def monotonic(self) -> float:
        """Seconds that no correction of the system's time turns back, moved along with `advance`; only for spans.

        For what ends by WeCom's time, such as a token: where the simulator's clock is shared, a day may pass at once.
        """
        if self._file is not None:
            self._read(self._file)
        return time.monotonic() + self._offset.total_seconds()

    def advance(self, seconds: float) -> None:
        """Move the clock forward; where a file is followed, every process that follows it moves along."""
        if self._file is not None:
            self._read(self._file)
        self._offset += timedelta(seconds=seconds)
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            fresh = self._file.with_suffix(".new")
            fresh.write_text(str(self._offset.total_seconds()))
            os.replace(fresh, self._file)

    def _read(self, file: Path) -> None:
        try:
            state = file.stat()
        except FileNotFoundError:
            self._stamp, self._offset = None, timedelta()
            return
        if self._stamp != (state.st_mtime_ns, state.st_ino):
            self._offset = timedelta(seconds=float(file.read_text()))
            self._stamp = (state.st_mtime_ns, state.st_ino)


clock = Clock()
now, monotonic, advance, follow = clock.now, clock.monotonic, clock.advance, clock.follow


def month_of(at: datetime, zone: tzinfo) -> str:
    """The brand's calendar month of a moment, as `2026-11` (G2)."""
    local = at.astimezone(zone)
    return f"{local.year:04}-{local.month:02}"


def month_start(month: str, zone: tzinfo, plus: int = 0) -> datetime:
    """00:00 local on the 1st of `month` (`2026-11`) plus `plus` months, in UTC."""
    year, number = map(int, month.split("-"))
    index = year * 12 + number - 1 + plus
    return datetime(index // 12, index % 12 + 1, 1, tzinfo=zone).astimezone(UTC)
