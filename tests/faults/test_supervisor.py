"""The supervisor: dead and sick parts start again, and in the end nothing is left running."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import structlog
from deeds.driver import until

from bot.app import supervisor
from bot.app.supervisor import Part, Supervisor

REST = "import time; time.sleep(600)"
STUBBORN = (
    "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('deaf', flush=True); time.sleep(600)"
)
PARENT = "import subprocess; child = subprocess.Popen(['sleep', '600']); print(child.pid, flush=True); child.wait()"
CHILD = """
import os, time
from bot.app.supervisor import PARENT, live_with_parent
live_with_parent(int(os.environ[PARENT]))
print(os.getpid(), flush=True)
time.sleep(600)
"""
AGAIN = """
while (child := os.fork()):
    os.waitpid(child, 0)
live_with_parent(os.getppid())
print(os.getpid(), flush=True)
time.sleep(600)
"""
FORKING = CHILD.replace("time.sleep(600)", AGAIN)
TURNING = CHILD.replace(
    "time.sleep(600)",
    """
from bot.core import pulse
while True:
    pulse.turned(0.5)
    time.sleep(0.1)
""",
)
HANGING = TURNING.replace("time.sleep(0.1)", "time.sleep(600)")
WHOLE = f"""
import sys, time
from bot.app.supervisor import Part, Supervisor
with Supervisor([Part("child", [sys.executable, "-c", {CHILD!r}])]):
    time.sleep(600)
"""


def part(code: str, out: Path | None = None, **more: object) -> Part:
    """A part that runs Python code; what it prints goes to `out`."""
    command = [sys.executable, "-c", code]
    if out is not None:
        command = ["/bin/sh", "-c", 'exec "$0" -c "$1" >> "$2"', sys.executable, code, str(out)]
    return Part("one", command, **more)  # type: ignore[arg-type]


def lives(pid: int) -> bool:
    """A zombie that init has not reaped yet does not live."""
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def printed(out: Path) -> list[str]:
    return out.read_text().split() if out.exists() else []


@contextmanager
def supervised(one: Part) -> Iterator[tuple[Supervisor, int]]:
    with Supervisor([one]) as running:
        pid = running.pid("one")
        assert pid is not None
        yield running, pid


def test_a_part_that_was_killed_starts_again() -> None:
    with supervised(part(REST)) as (running, first):
        os.kill(first, signal.SIGKILL)
        until(lambda: running.pid("one") not in (None, first))
        second = running.pid("one")
        assert second is not None
        assert lives(second)
    assert not lives(second)


def test_a_part_that_dies_at_once_waits_longer_each_time() -> None:
    def waits() -> list[float]:
        return [entry["again_in"] for entry in entries if entry["event"] == "a part died"]

    with structlog.testing.capture_logs() as entries, supervised(part("")):
        until(lambda: len(waits()) == 3)
    assert waits() == [0.5, 1.0, 2.0]


def test_the_children_of_a_dead_part_die_with_it(tmp_path: Path) -> None:
    out = tmp_path / "out"
    with supervised(part(PARENT, out)) as (_, first):
        until(lambda: printed(out))
        os.kill(first, signal.SIGKILL)
        until(lambda: not lives(int(printed(out)[0])))
        until(lambda: len(printed(out)) == 2)
    assert not any(lives(int(pid)) for pid in printed(out))


def test_a_part_that_does_not_stop_in_time_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "GRACE_SECONDS", 0.3)
    out = tmp_path / "out"
    with supervised(part(STUBBORN, out)) as (_, pid):
        until(lambda: printed(out) == ["deaf"])
    assert not lives(pid)


def test_a_part_that_no_longer_answers_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "HEALTH_SECONDS", 0.05)
    answers = iter([False, False, False, False, True, False, False, True, False, False, False])
    asked: list[int] = []

    def healthy() -> bool:
        asked.append(1)
        return next(answers, True)

    with supervised(part(REST, healthy=healthy)) as (running, first):
        until(lambda: len(asked) >= 8)
        assert running.pid("one") == first, "it may be slow to start, and miss two in a row"
        until(lambda: running.pid("one") not in (None, first))
        assert not lives(first)


def test_a_frozen_process_is_killed_and_one_that_never_said_it_lives_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "MOST_SILENT", 10)  # four times as long as a word takes to be said again
    out, silent = tmp_path / "out", Part("silent", [sys.executable, "-c", REST])
    with Supervisor([part(FORKING, out), silent]) as running:
        until(lambda: len(printed(out)) == 2)
        first, child = map(int, printed(out))
        never_heard = running.pid("silent")
        os.kill(child, signal.SIGSTOP)
        until(lambda: len(printed(out)) == 3)
        assert (running.pid("one"), lives(child)) == (first, False), "its parent has started another"
        os.kill(first, signal.SIGSTOP)
        until(lambda: running.pid("one") not in (None, first))
        assert running.pid("silent") == never_heard


def test_a_process_whose_loop_hangs_is_killed_though_it_lives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "MOST_SILENT", 10)
    hanging, well = tmp_path / "hanging", tmp_path / "well"
    healthy = replace(part(TURNING, well), name="well")
    with Supervisor([part(HANGING, hanging), healthy]) as running:
        until(lambda: len(printed(hanging)) == 3)
        assert printed(well) == [str(running.pid("well"))]
    assert len(set(printed(hanging))) == 3


def test_upkeep_goes_on_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "UPKEEP_SECONDS", 0.01)
    calls: list[int] = []

    def upkeep() -> None:
        calls.append(1)
        raise ZeroDivisionError

    with Supervisor([], upkeep=upkeep):
        until(lambda: len(calls) >= 3)


def test_when_the_supervisor_is_killed_its_parts_end_themselves() -> None:
    with subprocess.Popen([sys.executable, "-c", WHOLE], stdout=subprocess.PIPE, text=True) as whole:
        assert whole.stdout is not None
        child = int(whole.stdout.readline())
        assert lives(child)
        whole.kill()
        whole.wait()
        until(lambda: not lives(child))


def test_a_part_that_starts_when_its_supervisor_is_gone_already_ends_too() -> None:
    environment = {**os.environ, supervisor.PARENT: "1073741824", supervisor.BEAT: "9 word"}  # no such process
    done = subprocess.run([sys.executable, "-c", CHILD], env=environment, timeout=60, check=False, capture_output=True)
    assert done.returncode == -signal.SIGTERM
