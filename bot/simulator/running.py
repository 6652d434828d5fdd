"""Starting and stopping simulators: in this process for tests and the demo, or as a command of its own."""

import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from bot.simulator import site, state
from bot.simulator.server import Server
from bot.simulator.world import World


class Running:
    """A simulator that answers at `url` until `stop()`; a context manager stops it at the end."""

    def __init__(self, world: World, server: Server, data: Path | None) -> None:
        self.world, self.url, self._server, self._data = world, world.url, server, data

    def stop(self) -> None:
        """Stop answering and calling back; write the corp to its file where it has one."""
        self._server.stop()
        self.world.callbacks.stop()
        if self._data is not None:
            with self.world.lock:
                state.save(self.world.state, self._data)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def start(
    corp_id: str,
    secret: str,
    callback_url: str | None = None,
    token: str | None = None,
    aes_key: str | None = None,
    data: Path | None = None,
    port: int = 0,
    host: str = "127.0.0.1",
) -> Running:
    """Start a simulated WeCom of the corp `corp_id` with one app of secret `secret`; port 0 is any free one.

    Callbacks go to `callback_url` (see Callbacks.configure), encrypted with `token` and `aes_key`. `data` is a JSON
    file, read now where it exists and written at stop. Raises ValueError for a malformed key or file, or one whose
    folder is missing, OSError for a taken port.
    """
    if data is not None and not data.parent.is_dir():
        raise ValueError(f"{data.parent} is no folder, so the corp could not be written to {data.name} at stop")
    corp = state.load(data) if data is not None else None
    world = World(corp or state.State(corp_id, secret))
    if (world.state.corp_id, world.state.main) != (corp_id, secret):
        raise ValueError(f"{data} is of the corp {world.state.corp_id} or another secret")
    if callback_url is not None:
        if token is None or aes_key is None:
            raise ValueError("a callback address needs a token and an EncodingAESKey")
        world.callbacks.configure(callback_url, token, aes_key)
    server = Server(host, port, site.create(world))
    world.url = f"http://{host}:{server.port}"
    server.start()
    return Running(world, server, data)


def serve(announce: Callable[[str], None], **options: object) -> None:
    """Run one simulator until SIGTERM or SIGINT; `announce` gets its URL once it answers. Options are those of `start`.

    For the main thread only, since it takes the signals.
    """
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    with start(**options) as running:  # type: ignore[arg-type]  # start checks them
        announce(running.url)
        ended.wait()
