"""A running `fugou up`, driven by its pids: for tests that kill parts of it."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from bot.core.servers import daemon, home
from bot.core.servers.postgres import Postgres
from bot.core.servers.valkey import Valkey

PATIENCE_SECONDS = 60  # a busy machine takes long to start five Pythons

FUGOU = [sys.executable, "-m", "bot.app.cli"]


class Up:
    """A running `fugou up`: its address and its processes."""

    def __init__(self, process: subprocess.Popen[str], data: Path) -> None:
        self.process, self.data = process, data
        self.said = ""
        assert process.stdout is not None
        while not self.said.startswith("login ") and (line := process.stdout.readline()):
            self.said = line.strip()
            if line.startswith("ready "):
                self.url = line.split()[1]

    def part(self, words: str) -> int | None:
        """The pid of the eldest process below the supervisor whose command line has `words`."""
        return min((pid for pid, line in family(self.process.pid).items() if words in line), default=None)


def family(eldest: int) -> dict[int, str]:
    """A process and all below it that live: pid and command line."""
    listed = subprocess.run(["ps", "-axwwo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
    rows = [line.split(None, 3) for line in listed.stdout.splitlines()]
    known = {eldest: "eldest"}
    for _ in range(4):  # supervisor, part, worker process, and what that starts
        known |= {int(row[0]): row[3] for row in rows if int(row[1]) in known and not row[2].startswith("Z")}
    return known


def answers(url: str) -> bool:
    try:
        return requests.get(f"{url}/readyz", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def lives(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def none_lives(pids: list[int]) -> bool:
    return not any(lives(pid) for pid in pids)


def servers(data: Path) -> list[daemon.Daemon]:
    """The private servers of a data folder."""
    place = home.Home(data)
    return [Postgres(place), Valkey(place)]


@contextmanager
def initialised(**settings: str) -> Iterator[dict[str, str]]:
    """The environment of an installation that `fugou init` has made in a folder of its own."""
    with tempfile.TemporaryDirectory(prefix="fugou-test-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        given = {
            "DATA_DIR": f"{name}/data", "SECRET_KEY": "a secret key for tests, long enough to be one",
            "PUBLIC_URL": "http://fugou.test", "WECOM_API_BASE": "http://127.0.0.1:9/cgi-bin",
            "WECOM_CORP_ID": "ww0123456789abcdef", "WECOM_AGENT_ID": "1000002", "WECOM_APP_SECRET": "app-secret",
            "WECOM_CALLBACK_TOKEN": "callbackToken", "WECOM_CALLBACK_AES_KEY": "k" * 42 + "0",
            "OWNER_PASSWORD": "a password for tests", "LOG_FORMAT": "json", **settings,
        }  # fmt: skip
        made = {**os.environ, **{f"FUGOU_{name}": value for name, value in given.items()}}
        subprocess.run([*FUGOU, "init", "--yes"], env=made, cwd=name, check=True, capture_output=True)
        yield made
        for server in servers(Path(made["FUGOU_DATA_DIR"])):
            server.stop()  # where a test's kill -9 left it


@contextmanager
def command(environment: dict[str, str], *words: str) -> Iterator[subprocess.Popen[str]]:
    """`fugou` with these words, told to end at the end."""
    folder = Path(environment["FUGOU_DATA_DIR"]).parent
    with subprocess.Popen([*FUGOU, *words], env=environment, cwd=folder, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


@contextmanager
def up(environment: dict[str, str], *options: str) -> Iterator[Up]:
    with command(environment, "up", "--port", "0", "--workers", "1", *options) as process:
        yield Up(process, Path(environment["FUGOU_DATA_DIR"]))
