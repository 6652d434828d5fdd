"""The parts of an installation as child processes: `python -m bot.app.parts NAME`, started by the supervisor alone."""

import os
import sys
from collections.abc import Callable, Mapping

from bot.app import scheduler, serve, worker
from bot.app.house import opened
from bot.app.supervisor import PARENT, Part, live_with_parent
from bot.core import log
from bot.core import settings as fugou_settings
from bot.core.errors import Refusal
from bot.core.installation import Installation
from bot.wecom import lane

PARTS: dict[str, tuple[Callable[[Installation], int], int]] = {  # kind -> what it runs, connections it keeps
    "lanes": (worker.run_lanes, worker.LANES_POOL),
    "hot": (worker.run_hot, worker.HOT_POOL),
    "scheduler": (lambda installation: scheduler.run(installation, worker.until_told()), scheduler.POOL),
}
HOT = tuple(f"hot-{number + 1}" for number in range(lane.PROCESSES))
WORKER = ("lanes", *HOT)
ALL = (*WORKER, "scheduler")  # but for web


def part(name: str, env: Mapping[str, str] | None = None) -> Part:
    """One of `ALL`. env: settings it gets beside the environment's."""
    return Part(name, [sys.executable, "-m", "bot.app.parts", name], env or {})


def web_part(
    host: str, port: int, installation_id: str, workers: int, threads: int, env: Mapping[str, str] | None = None
) -> Part:
    """The web part on a reserved port; it is healthy while our own installation answers there."""
    address = serve.url(host, port)
    command = [sys.executable, "-m", "bot.app.parts", "web", host, str(port), str(workers), str(threads)]
    return Part("web", command, env or {}, healthy=lambda: serve.is_ours(address, installation_id))


def main(name: str, *arguments: str) -> int:
    """Run one part in this process until SIGTERM, or until the supervisor is gone; returns the exit status."""
    live_with_parent(int(os.environ[PARENT]))
    settings = fugou_settings.load()
    log.configure(settings, name)
    if name == "web":
        host, *numbers = arguments
        serve.serve(host, *map(int, numbers))
        return 0
    run, pool_size = PARTS[name.partition("-")[0]]
    with opened(settings, pool_size=pool_size) as installation:
        return run(installation)


if __name__ == "__main__":
    try:
        sys.exit(main(*sys.argv[1:]))
    except Refusal as error:
        sys.exit(f"fugou: {error}")
