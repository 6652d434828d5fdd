"""Many at once: what each of several threads got that began at the same moment."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

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
