"""Many at once: what each of several threads got that began at the same moment."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.core.errors import Problem

Got = TypeVar("Got")


def together(*actions: Callable[[], Got]) -> list[Got | Problem]:
    """What each action answered, or the refusal it raised; all begin together. Any other error is raised."""
    gate = threading.Barrier(len(actions))

    def run(action: Callable[[], Got]) -> Got | Problem:
        gate.wait(30)
        try:
            return action()
        except Problem as refused:
            return refused

    with ThreadPoolExecutor(len(actions)) as pool:
        return [each.result(60) for each in [pool.submit(run, action) for action in actions]]


def refused(got: Sequence[object]) -> list[str]:
    """The kinds of the refusals among what threads got."""
    return [type(each).__name__ for each in got if isinstance(each, Problem)]


def waited_for(session: Session) -> bool:
    """Whether another transaction has come to wait for a lock of this one, within 30 s."""
    waiting = text(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid)))"
    )
    until = time.monotonic() + 30
    while not session.scalar(waiting):
        if time.monotonic() > until:
            return False
        time.sleep(0.01)
    return True
