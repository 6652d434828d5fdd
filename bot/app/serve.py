"""The web part: Granian with worker processes, a port that is surely ours, and whether it is we who answer there."""

import errno
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import requests
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from bot.core.errors import Refusal

WORKERS, THREADS = 2, 32  # processes, and in each blocking threads; at most 24 of those outside /wecom/
STOP_SECONDS = 10  # for requests under way when the server is asked to stop
RELEASE_SECONDS = 3.0  # the orphans of a killed installation end themselves within a second
READY_SECONDS = 120.0  # it takes four on an idle machine
ANSWER_SECONDS = 2.0


class NotServing(Refusal):
    """The address can't be served; the sentence says why."""


@contextmanager
def reserved(host: str, port: int) -> Iterator[int]:
    """Keep `port` (0: any free one) of `host` for our web processes and yield its number.

    The socket never listens; it only makes the kernel keep the number for sockets that share it. Granian's workers
    share theirs too, so two Granians would serve one port without a word: hence the look whether anybody is there.
    Raises NotServing.
    """
    family, kind, _, _, address = _address(host, port)
    if port:
        _look_whether_free(family, kind, address)
    with socket.socket(family, kind) as held:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind(address)
        yield held.getsockname()[1]


def serve(host: str, port: int, workers: int = WORKERS, threads: int = THREADS) -> None:
    """Serve until SIGTERM, with `workers` processes of `threads` blocking threads; in the main thread."""
    Granian(
        "bot.app.wsgi:application", address=host, port=port, interface=Interfaces.WSGI, http=HTTPModes.http1,
        workers=workers, blocking_threads=threads, respawn_failed_workers=True, workers_kill_timeout=STOP_SECONDS,
        websockets=False, log_level=LogLevels.error,
    ).serve()  # fmt: skip


def url(host: str, port: int) -> str:
    """Where this machine reaches what listens on `host`."""
    name = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  # not bound here
    return f"http://[{name}]:{port}" if ":" in name else f"http://{name}:{port}"


def is_ours(address: str, installation_id: str) -> bool:
    """Does the installation of that id answer at `address`? A neighbour's server is not believed."""
    try:
        answer = requests.get(f"{address}/healthz", timeout=ANSWER_SECONDS).json()
    except (requests.RequestException, ValueError):
        return False
    return isinstance(answer, dict) and answer.get("installation") == installation_id


def wait_ready(address: str, installation_id: str, stop: threading.Event) -> bool:
    """Wait until our own web part answers and is ready; False if `stop` was set first.

    Raises NotServing after `READY_SECONDS`, with what was answered last.
    """
    deadline = time.monotonic() + READY_SECONDS
    while not stop.wait(0.1):
        said = _readiness(address) if is_ours(address, installation_id) else "nothing of ours answers"
        if said is None:
            return True
        if time.monotonic() > deadline:
            raise NotServing(f"the web part at {address} was not ready after {READY_SECONDS:.0f} s: {said}")
    return False


def _readiness(address: str) -> str | None:
    """None when it is ready, else what it says."""
    try:
        answer = requests.get(f"{address}/readyz", timeout=ANSWER_SECONDS)
    except requests.RequestException as error:
        return str(error)
    return None if answer.status_code == 200 else answer.text.strip()


def _address(host: str, port: int) -> tuple[int, int, int, str, tuple[object, ...]]:
    try:
        return socket.getaddrinfo(host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    except OSError as error:
        raise NotServing(f"the host {host} is not an address of this machine: {error.strerror}") from None


def _look_whether_free(family: int, kind: int, address: tuple[object, ...]) -> None:
    deadline = time.monotonic() + RELEASE_SECONDS
    while True:
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # what only lingers does not count
            try:
                return probe.bind(address)
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise NotServing(f"can't listen on {address[0]} port {address[1]}: {error.strerror}") from None
        if time.monotonic() > deadline:
            raise NotServing(
                f"port {address[1]} of {address[0]} is in use by another program; "
                "choose another with --port, or 0 for any free one"
            )
        time.sleep(0.1)
