"""The worker's processes: the job lanes, and those of the hot lane, so that no job can make a welcome wait."""

import signal
import threading

from bot.core.installation import Installation
from bot.core.jobs import lanes
from bot.wecom.client import wecom_of
from bot.wecom.lane import Lane

LANES_POOL = lanes.THREADS
HOT_POOL = 8  # connections for 32 slots, which hold none during a call: more would only wait for one another in here


def run_lanes(installation: Installation) -> int:
    """Run jobs until SIGTERM; returns the exit status, 1 where the process should be started anew."""
    return 0 if lanes.run(installation) else 1


def run_hot(installation: Installation) -> int:
    """Drain inbox and outbox until SIGTERM; returns the exit status."""
    Lane(installation, wecom_of(installation)).run(until_told())
    return 0


def until_told() -> threading.Event:
    """An event that SIGTERM and SIGINT set; call it in the main thread."""
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    return stop
