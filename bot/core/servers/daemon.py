"""A server process that outlives the command that started it and is found again by the next.

Each server inherits an open descriptor of `run/<name>.alive` with a `flock` on it. The kernel keeps that lock exactly
as long as the server, or any child of it, lives: the one truth about a left-over, whatever stale pid and socket files
say. The file holds the server's pid.
"""

import fcntl
import os
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from pathlib import Path

from bot.core.servers.home import Home, ServerTrouble, lock_file, try_lock

START_LIMIT = 60.0  # seconds without an answer after which a start has failed; recovery after a crash is not counted
HANG_LIMIT = 10.0  # seconds a left-over may stay silent before it is ended
STOP_LIMIT = 8.0  # seconds for an orderly stop before a harder signal; two of them fit into the 20 s of `fugou up`


class Daemon(ABC):
    """What PostgreSQL and Valkey have in common; `ensure` and `stop` are called inside `home.turn()`."""

    name: str
    stop_signals: tuple[signal.Signals, ...]  # each harder than the one before

    def __init__(self, home: Home) -> None:
        self.home = home
        self._child: subprocess.Popen[bytes] | None = None

    @abstractmethod
    def prepare(self) -> None:
        """Before a start, when none runs: make what is missing, remove what a killed one left."""

    @abstractmethod
    def command(self) -> list[str]:
        """The program and its arguments."""

    @abstractmethod
    def ping(self) -> bool:
        """Does it answer? Raises StillStarting while it is alive and not yet ready."""

    @property
    def log(self) -> Path:
        return self.home.run / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """The running server's pid, None where none runs."""
        with lock_file(self._alive_file) as fd:
            return None if self._dead(fd) else int(os.read(fd, 20) or b"0") or None

    def ensure(self) -> None:
        """Reuse the server that runs, end one that is silent, start one where none is left.

        Raises ServerTrouble where it does not start.
        """
        with lock_file(self._alive_file) as fd:
            if not self._dead(fd):
                if self._answers_within(HANG_LIMIT, fd):
                    return
                self.kill()
        self.home.make_sockets()
        self.prepare()
        self._start()

    def stop(self) -> None:
        """End the server, in order if it lets us. Raises ServerTrouble where it outlives every signal."""
        self._end(*self.stop_signals)

    def kill(self) -> None:
        """End the server at once, as a crash would, and wait until it is gone."""
        self._end(signal.SIGKILL)

    def _end(self, *signals: signal.Signals) -> None:
        with lock_file(self._alive_file) as fd:
            for sign in signals:
                deadline = time.monotonic() + STOP_LIMIT
                pid = self.pid
                if pid is not None:
                    os.kill(pid, sign)
                while not self._dead(fd):
                    if time.monotonic() > deadline:
                        break
                    time.sleep(0.01)
                else:
                    return
        raise ServerTrouble(f"the private {self.name} (process {self.pid}) can't be stopped")

    @property
    def _alive_file(self) -> Path:
        return self.home.run / f"{self.name}.alive"

    def _start(self) -> None:
        with lock_file(self._alive_file) as fd, self.log.open("ab") as log:
            fcntl.flock(fd, fcntl.LOCK_EX)
            os.ftruncate(fd, 0)
            self._child = subprocess.Popen(
                # The shell writes its pid, which exec keeps: right even if we are killed at this very moment.
                ["/bin/sh", "-c", 'echo $$; exec "$@" >&2', "sh", *self.command()],
                pass_fds=[fd], stdout=fd, stderr=log,
                start_new_session=True,  # a Ctrl-C in the terminal is ours to handle, not the server's
                **self.home.process_options(),
            )  # fmt: skip
        with lock_file(self._alive_file) as fd:
            if not self._answers_within(START_LIMIT, fd):
                self.kill()
                said = self.log.read_text(errors="replace").strip().splitlines() or ["(nothing)"]
                raise ServerTrouble(f"the private {self.name} did not start; {self.log} ends with: {said[-1]}")

    def _answers_within(self, seconds: float, fd: int) -> bool:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            try:
                if self.ping():
                    return True
            except StillStarting:
                deadline = time.monotonic() + seconds
            if self._dead(fd):
                return False
            time.sleep(0.01)
        return False

    def _dead(self, fd: int) -> bool:
        if not try_lock(fd, fcntl.LOCK_EX):
            return False
        fcntl.flock(fd, fcntl.LOCK_UN)
        if self._child is not None:
            self._child.wait()  # a dying process gives its locks back a moment before it can be reaped
            self._child = None
        return True


class StillStarting(Exception):
    """The server lives and says that it is not ready yet."""
