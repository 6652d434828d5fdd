"""What is frozen under `fugou up` is noticed and started again; a killed `up` is followed by another; work goes on."""

import os
import signal
from collections.abc import Iterable, Iterator
from contextlib import ExitStack

import pytest
from deeds.driver import until
from running import Shop, answers, family, heard, none_lives, shop, up

from bot.core.jobs import enqueue
from bot.operators.jobs import verify

TICKED = "SELECT done_at FROM ticks WHERE name = 'house.sweep_jobs'"
WAITING = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'operators.verify'"


@pytest.fixture(scope="module")
def town() -> Iterator[Shop]:
    with shop() as made:
        yield made


@pytest.mark.long
def test_every_frozen_process_is_started_again_and_its_work_goes_on(town: Shop) -> None:  # G5
    parts = {pid: line for pid, line in family(town.running.process.pid).items() if "bot.app.parts" in line}
    assert len(parts) == 6, "web and its process, lanes, two hot, scheduler"
    until(lambda: town.scalar(TICKED) is not None)
    freeze(pid for pid, line in parts.items() if "parts web" not in line)
    ticked = town.scalar(TICKED)
    anna = town.phone.add_contact("Anna")
    town.phone.settled()
    with town.installation.transaction("test") as session:
        enqueue(session, verify)
    freeze(pid for pid, line in parts.items() if "parts web" in line)
    until(lambda: none_lives(list(parts)))
    until(lambda: answers(town.running.url))
    until(lambda: town.added(anna) == 1)  # by hot
    until(lambda: town.scalar(WAITING) == 0)  # by lanes
    until(lambda: town.scalar(TICKED) > ticked)  # by the scheduler
    assert town.running.process.poll() is None


def test_after_kill_9_of_up_under_load_the_next_one_loses_nothing_and_does_nothing_twice(town: Shop) -> None:  # G5 P2
    port = town.running.url.rpartition(":")[2]
    parts = [pid for pid, line in family(town.running.process.pid).items() if "bot.app.parts" in line]
    with ExitStack() as opening:
        come = opening.enter_context(town.customers())
        until(lambda: len(come) > 20)
        town.running.process.kill()
        town.running.process.wait()
        with up(town.environment, "--port", port) as again:
            assert again.url == town.running.url
            known = len(come)
            until(lambda: len(come) > known + 20)
            opening.close()
            assert none_lives(parts)
            town.phone.settled()
            until(lambda: all(town.added(her) == 1 for her in heard(town.phone, come)))
            assert town.scalar("SELECT count(*) FROM orders") == len(come)
            assert town.differences() == []


def freeze(pids: Iterable[int]) -> None:
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
