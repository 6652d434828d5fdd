"""The main loop of a process says that it goes round, so that one which hangs is told from one which works.

A thread beside the loop tells the supervisor that the process lives (`bot/app/supervisor.py`); while the loop is
`stuck` it tells nothing, and the process is ended and started again as a frozen one is.
"""

import math
import time

_due = math.inf


def turned(within_s: float) -> None:
    """The loop goes round, and will have gone round again within so many seconds."""
    global _due  # noqa: PLW0603  # of the process, as its loop is
    _due = time.monotonic() + within_s


def stuck() -> bool:
    """Whether the loop has not gone round again in the time it named; a process without a loop never is."""
    return time.monotonic() > _due
