"""`fugou up` as a person starts it: ready when it says so, whole again after kill -9, gone when told."""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from deeds.driver import PATIENCE_SECONDS, until

from bot.core.servers import daemon, home
from bot.core.servers.postgres import Postgres
from bot.core.servers.valkey import Valkey

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

    def answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def family(self) -> dict[int, str]:
        """The supervisor and all below it: pid and command line."""
        listed = subprocess.run(["ps", "-axwwo", "pid=,ppid=,stat=,args="], capture_output=True, text=True, check=True)
        rows = [line.split(None, 3) for line in listed.stdout.splitlines()]
        known = {self.process.pid: "up"}
        for _ in range(4):  # supervisor, part, worker process, and what that starts
            known |= {int(row[0]): row[3] for row in rows if int(row[1]) in known and not row[2].startswith("Z")}
        return known

    def part(self, words: str) -> int:
        """The pid of the eldest process below the supervisor whose command line has `words`."""
        return min(pid for pid, command in self.family().items() if words in command)


def lives(pid: int) -> bool:
    state = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(state.strip()) and not state.startswith("Z")


def none_lives(pids: list[int]) -> bool:
    return not any(lives(pid) for pid in pids)


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """The environment of an installation that `fugou init` has made; each test meets what the one before left."""
    with tempfile.TemporaryDirectory(prefix="fugou-test-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        given = {
            "DATA_DIR": f"{name}/data", "SECRET_KEY": "a secret key for tests, long enough to be one",
            "PUBLIC_URL": "http://fugou.test", "WECOM_API_BASE": "http://127.0.0.1:9/cgi-bin",
            "WECOM_CORP_ID": "ww0123456789abcdef", "WECOM_AGENT_ID": "1000002", "WECOM_APP_SECRET": "app-secret",
            "WECOM_CALLBACK_TOKEN": "callbackToken", "WECOM_CALLBACK_AES_KEY": "k" * 42 + "0",
            "OWNER_PASSWORD": "a password for tests", "LOG_FORMAT": "json",
        }  # fmt: skip
        made = {**os.environ, **{f"FUGOU_{name}": value for name, value in given.items()}}
        subprocess.run([*FUGOU, "init", "--yes"], env=made, cwd=name, check=True, capture_output=True)
        yield made


@contextmanager
def up(environment: dict[str, str], *options: str) -> Iterator[Up]:
    data = Path(environment["FUGOU_DATA_DIR"])
    command = [*FUGOU, "up", "--port", "0", "--workers", "1", *options]
    with subprocess.Popen(command, env=environment, cwd=data.parent, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Up(process, data)
        finally:
            process.terminate()
            process.wait(PATIENCE_SECONDS)


def servers(data: Path) -> list[daemon.Daemon]:
    place = home.Home(data)
    return [Postgres(place), Valkey(place)]


def test_up_says_when_it_is_ready_and_leaves_nothing_running_when_told_to_stop(environment: dict[str, str]) -> None:
    with up(environment) as running:
        assert running.answers()
        assert re.fullmatch(rf"login {running.url}/console/login/\S+", running.said)
        family = list(running.family())
        assert len(family) >= 8, "up, web and its process, lanes, hot, scheduler, two servers"
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
    assert none_lives(family)
    assert [server.pid for server in servers(running.data)] == [None, None]


def test_up_is_whole_again_after_kill_9_of_each_part_and_server(environment: dict[str, str]) -> None:
    with up(environment) as running:
        for words in ("parts web", "parts lanes", "parts hot", "parts scheduler", "bin/postgres -D", "valkey-server"):
            victim = running.part(words)
            os.kill(victim, signal.SIGKILL)
            until(lambda words=words, victim=victim: any(
                words in command and pid != victim for pid, command in running.family().items()))  # fmt: skip
        until(running.answers)
        assert running.process.poll() is None


def test_after_kill_9_of_up_its_parts_end_and_the_next_one_serves_the_same_port(environment: dict[str, str]) -> None:
    with up(environment) as running:
        number = running.url.rpartition(":")[2]
        parts = [pid for pid, command in running.family().items() if "bot.app.parts" in command]
        assert len(parts) == 5
        running.process.kill()
        running.process.wait()
        with up(environment, "--port", number) as again:
            assert again.url == running.url
            assert again.answers()
            until(lambda: none_lives(parts))
    assert [server.pid for server in servers(running.data)] == [None, None]


def test_up_refuses_a_port_in_use_in_one_sentence(environment: dict[str, str]) -> None:
    with socket.socket() as neighbour:
        neighbour.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)  # as a second Granian would
        neighbour.bind(("127.0.0.1", 0))
        neighbour.listen()
        port = neighbour.getsockname()[1]
        done = subprocess.run([*FUGOU, "up", "--port", str(port)], env=environment, capture_output=True, text=True,
                              timeout=PATIENCE_SECONDS, check=False, cwd=environment["FUGOU_DATA_DIR"])  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == (f"fugou: port {port} of 127.0.0.1 is in use by another program; "
                           "choose another with --port, or 0 for any free one\n")  # fmt: skip


def test_up_without_its_settings_names_them_and_starts_nothing(folder: Path) -> None:
    bare = {name: value for name, value in os.environ.items() if not name.startswith("FUGOU_")}
    done = subprocess.run([*FUGOU, "up"], env={**bare, "FUGOU_DATA_DIR": str(folder / "data")}, capture_output=True,
                          text=True, timeout=PATIENCE_SECONDS, check=False, cwd=folder)  # fmt: skip
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    for name in ("SECRET_KEY", "WECOM_CORP_ID", "WECOM_APP_SECRET", "PUBLIC_URL"):
        assert f"FUGOU_{name}" in done.stderr
    assert not (folder / "data").exists()
