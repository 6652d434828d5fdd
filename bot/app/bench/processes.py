"""The processes of benches of the whole program: our parts, gunicorn and Granian with frozen code, a stub WeCom."""

import importlib.util
import socket
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.app import parts, serve
from bot.app.bench import callbacks, naive_callbacks
from bot.app.bench.harness import SECRET_KEY
from bot.app.supervisor import Part, Supervisor
from bot.core.errors import Refusal
from bot.core.installation import Installation

HOST = "127.0.0.1"
STARTED_S = 60.0


class Missing(Refusal):
    """Something that only a bench needs is not installed."""


@contextmanager
def ours(installation: Installation, workers: int, threads: int, api: str, hot: bool = False) -> Iterator[int]:
    """Our web part on the bench's servers, with the hot lane if `hot`; its port. api: WeCom's address."""
    given = {
        "DATABASE_URL": installation.database_url, "REDIS_URL": installation.redis_url,
        "DATA_DIR": str(installation.settings.data_dir), "SECRET_KEY": SECRET_KEY, "PUBLIC_URL": "http://bench.test",
        "WECOM_API_BASE": api, "WECOM_CORP_ID": callbacks.CORP, "WECOM_AGENT_ID": "1", "WECOM_APP_SECRET": "bench",
        **{f"WECOM_{whose}CALLBACK_TOKEN": callbacks.TOKEN for whose in ("", "CONTACT_")},
        **{f"WECOM_{whose}CALLBACK_AES_KEY": callbacks.AES_KEY for whose in ("", "CONTACT_")},
    }  # fmt: skip
    env = {f"FUGOU_{name}": value for name, value in given.items()}
    with serve.reserved(HOST, 0) as port:
        web = parts.web_part(HOST, port, installation.id, workers, threads, env)
        with Supervisor([web, *(parts.part(name, env) for name in parts.HOT if hot)]):
            serve.wait_ready(serve.url(HOST, port), installation.id, threading.Event())
            yield port


@contextmanager
def gunicorn(installation: Installation, app: str, workers: int, threads: int, api: str = "") -> Iterator[int]:
    """Frozen code on gunicorn's gthread; its port. Raises Missing."""
    if importlib.util.find_spec("gunicorn") is None:
        raise Missing("gunicorn serves the naive code and is not installed; run: make setup-test")
    with serve.reserved(HOST, 0) as port:
        command = ["-m", "gunicorn", "-k", "gthread", "-w", str(workers), "--threads", str(threads), "--reuse-port",
                   "-b", f"{HOST}:{port}", "--log-level", "error", "--no-control-socket"]  # fmt: skip
        with _running(installation, app, command, port, api):
            yield port


@contextmanager
def granian(installation: Installation, app: str, workers: int, threads: int) -> Iterator[int]:
    """The same on Granian; its port."""
    with serve.reserved(HOST, 0) as port:
        command = ["-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--host", HOST,
                   "--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads),
                   "--log-level", "error"]  # fmt: skip
        with _running(installation, app, command, port):
            yield port


@contextmanager
def stub_wecom(latency_s: float) -> Iterator[str]:
    """A WeCom that takes `latency_s` for an answer; its address."""
    with socket.create_server((HOST, 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "bot.app.bench.stub_wecom", str(port), str(latency_s)]
    with Supervisor([Part("stub", command)]):
        _wait_open(port)
        yield f"http://{HOST}:{port}"


@contextmanager
def _running(installation: Installation, app: str, command: Sequence[str], port: int, api: str = "") -> Iterator[None]:
    env = {
        naive_callbacks.DATABASE: installation.database_url, naive_callbacks.API: f"{api}/cgi-bin/",
    }  # fmt: skip
    full = [sys.executable, *command, f"bot.app.bench.naive_callbacks:{app}"]
    with Supervisor([Part(app, full, env)]):
        _wait_open(port)
        yield


def _wait_open(port: int) -> None:
    """Wait until something listens and has answered, whatever it says. Raises NotServing."""
    deadline = time.monotonic() + STARTED_S
    while time.monotonic() < deadline:
        try:
            with socket.create_connection((HOST, port), timeout=STARTED_S) as connection:
                connection.sendall(b"GET /welcomed HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n")
                if connection.recv(1):
                    return
        except OSError:
            pass
        time.sleep(0.1)
    raise serve.NotServing(f"nothing answered at port {port} within {STARTED_S:.0f} s")
