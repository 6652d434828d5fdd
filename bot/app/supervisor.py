"""Keeps the parts of an installation running: child processes, started again when they die, stopped together.

Nothing is left running: a part and its own children are one process group, which is killed when the part has died or
does not stop in time; and a part whose supervisor was killed ends itself. Each process of a part says every
`BEAT_SECONDS` that it lives (`live_with_parent`); one that has fallen silent is frozen or hangs, and is killed.
"""

import contextlib
import os
import secrets
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import structlog

from bot.core import pulse

log = structlog.get_logger(__name__)

LOOK_SECONDS = 0.2
GRACE_SECONDS = 12.0  # for what is under way; with the private servers' stop it makes the 20 s of `fugou up`
LONGEST_BACK_OFF = 30.0
SETTLED_SECONDS = 60.0  # a part that lived this long has started, and starts again without back-off
HEALTH_SECONDS = 5.0  # between two looks at a part's health
MOST_MISSES = 3
BEAT_SECONDS = 0.5
MOST_SILENT = 50  # looks, some ten seconds; no seconds, since a supervisor that was itself frozen has not listened
UPKEEP_SECONDS = 2.0
ORPHAN_SECONDS = 10.0  # an orphan that has not ended in order by then ends at once
PARENT, BEAT = "FUGOU_PARENT_PID", "FUGOU_BEAT"  # what a part's environment says of its supervisor


@dataclass(frozen=True)
class Part:
    """One child: a name, its command, what its environment has beside ours, and a question about its health."""

    name: str
    command: Sequence[str]
    env: Mapping[str, str] = field(default_factory=dict)
    healthy: Callable[[], bool] | None = None


class Supervisor:
    """Runs `parts` while its `with` block lasts.

    upkeep: called every `UPKEEP_SECONDS` beside them; its errors are logged and it is called again.
    """

    def __init__(self, parts: Sequence[Part], upkeep: Callable[[], None] | None = None) -> None:
        self._ear = _Ear()
        self._children = [_Child(part, self._ear.address) for part in parts]
        self._upkeep = upkeep
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._watch, name="watch")]
        if upkeep is not None:
            self._threads.append(threading.Thread(target=self._keep_up, args=(upkeep,), name="upkeep"))

    def pid(self, name: str) -> int | None:
        """The process id of a part, None while it waits to be started again."""
        [child] = [child for child in self._children if child.part.name == name]
        return child.process.pid if child.process else None

    def __enter__(self) -> Self:
        for child in self._children:
            child.start()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Ask every part to end, give them `GRACE_SECONDS`, kill what is left."""
        self._stop.set()
        for thread in self._threads:
            thread.join()
        for child in self._children:
            child.ask_to_end()
        deadline = time.monotonic() + GRACE_SECONDS
        for child in self._children:
            child.end(deadline)
        self._ear.close()

    def _watch(self) -> None:
        while not self._stop.wait(LOOK_SECONDS):
            heard = self._ear.heard()
            for child in self._children:
                child.look(heard)

    def _keep_up(self, upkeep: Callable[[], None]) -> None:
        while not self._stop.wait(UPKEEP_SECONDS):
            try:
                upkeep()
            except Exception as error:
                log.error("upkeep failed", error=str(error))


class _Ear:
    """Where processes of parts say that they live: a port of this machine, and a word that only they know."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self._word = secrets.token_hex(8)
        self.address = f"{self._socket.getsockname()[1]} {self._word}"

    def heard(self) -> set[int]:
        """The processes that have said so since the last time."""
        said: list[str] = []
        with contextlib.suppress(BlockingIOError):
            while len(said) < 1000:
                said.append(self._socket.recv(100).decode(errors="replace"))
        words = [one.partition(" ") for one in said]
        return {int(pid) for word, _, pid in words if word == self._word and pid.isdecimal()}

    def close(self) -> None:
        self._socket.close()


class _Child:
    def __init__(self, part: Part, ear: str) -> None:
        self.part, self._ear = part, ear
        self.process: subprocess.Popen[bytes] | None = None
        self._started = self._start_again = self._looked = 0.0
        self._deaths = self._misses = 0
        self._was_well = False
        self._silence: dict[int, int] = {}  # looks since each of its processes was heard

    def start(self) -> None:
        self._silence = {}
        self._started = self._looked = time.monotonic()
        self._misses, self._was_well = 0, False  # a busy machine may take long to start it
        environment = {**os.environ, **self.part.env, PARENT: str(os.getpid()), BEAT: self._ear}
        try:
            self.process = subprocess.Popen(self.part.command, env=environment, start_new_session=True)
        except OSError as error:
            log.error("a part can't be started", name=self.part.name, error=str(error), again_in=LONGEST_BACK_OFF)
            self._start_again = self._started + LONGEST_BACK_OFF

    def look(self, heard: set[int]) -> None:
        """Bury the dead, start again whose back-off is over, end the frozen and the sick. heard: who lives."""
        now = time.monotonic()
        if self.process is None:
            if now >= self._start_again:
                self.start()
        elif self.process.poll() is not None:
            self._bury(self.process, now)
        else:
            self._listen(self.process, heard)
            if self.part.healthy is not None and now - self._looked >= HEALTH_SECONDS:
                self._ask(self.process, self.part.healthy, now)

    def ask_to_end(self) -> None:
        """SIGTERM to the part alone; its own children are its business."""
        if self.process is not None:
            self.process.terminate()

    def end(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            log.warning("a part did not end in time and is killed", name=self.part.name, pid=self.process.pid)
        _kill_group(self.process)
        self.process.wait()

    def _listen(self, process: subprocess.Popen[bytes], heard: set[int]) -> None:
        """Kill which of its processes was heard once and is silent; who is its parent starts it again."""
        for pid in heard | set(self._silence):
            looks = 0 if pid in heard else self._silence[pid] + 1
            if _group(pid) != process.pid:  # it has died, or is another part's
                self._silence.pop(pid, None)
            elif looks <= MOST_SILENT:
                self._silence[pid] = looks
            else:
                log.warning("a process is frozen or hangs and is killed", name=self.part.name, pid=pid)
                del self._silence[pid]
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _ask(self, process: subprocess.Popen[bytes], healthy: Callable[[], bool], now: float) -> None:
        self._looked = now
        well = healthy()
        self._was_well = self._was_well or well or now - self._started > SETTLED_SECONDS
        self._misses = 0 if well or not self._was_well else self._misses + 1
        if self._misses >= MOST_MISSES:
            log.warning("a part does not answer and is ended", name=self.part.name, pid=process.pid)
            _kill_group(process)

    def _bury(self, process: subprocess.Popen[bytes], now: float) -> None:
        _kill_group(process)
        self._deaths = 1 if now - self._started > SETTLED_SECONDS else self._deaths + 1
        wait = min(0.5 * 2 ** (self._deaths - 1), LONGEST_BACK_OFF)
        log.warning("a part died", name=self.part.name, pid=process.pid, status=process.returncode, again_in=wait)
        self.process, self._start_again = None, now + wait


def live_with_parent(parent: int) -> None:
    """Say to the supervisor that this process lives and its loop goes round, while `parent` is its parent; then end it.

    In order if that can be done within `ORPHAN_SECONDS`. Raises KeyError where no supervisor has started it.
    """
    port, word = os.environ[BEAT].split()

    def watch() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mouth:
            while os.getppid() == parent:
                if not pulse.stuck():
                    with contextlib.suppress(OSError):  # a word that is lost is said again
                        mouth.sendto(f"{word} {os.getpid()}".encode(), ("127.0.0.1", int(port)))
                time.sleep(BEAT_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_SECONDS)
        os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def _group(pid: int) -> int | None:
    """The process group of a process, None where there is no such process."""
    try:
        return os.getpgid(pid)
    except ProcessLookupError:
        return None


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS says the latter where only a zombie is left
        os.killpg(process.pid, signal.SIGKILL)
