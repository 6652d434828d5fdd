"""`fugou up` as a person starts it: ready when it says so, whole again after kill -9, gone when told."""

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from deeds.driver import until
from running import FUGOU, PATIENCE_SECONDS, answers, command, family, initialised, lives, none_lives, servers, up


@pytest.fixture(scope="module")
def environment() -> Iterator[dict[str, str]]:
    """An installation of these tests; each meets what the one before left."""
    with initialised() as made:
        yield made


def test_up_says_when_it_is_ready_and_leaves_nothing_running_when_told_to_stop(environment: dict[str, str]) -> None:
    with up(environment) as running:
        assert answers(running.url)
        assert re.fullmatch(rf"login {running.url}/console/login/\S+", running.said)
        below = list(family(running.process.pid))
        assert len(below) >= 9, "up, web and its process, lanes, two hot, scheduler, two servers"
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(20) == 0
    assert none_lives(below)
    assert [server.pid for server in servers(running.data)] == [None, None]


def test_up_is_whole_again_after_kill_9_of_each_part_and_server(environment: dict[str, str]) -> None:
    with up(environment) as running:
        for words in ("parts web", "parts lanes", "parts hot-1", "parts scheduler", "bin/postgres -D", "valkey-server"):
            victim = running.part(words)
            assert victim is not None
            os.kill(victim, signal.SIGKILL)
            until(lambda words=words, victim=victim: running.part(words) not in (None, victim))
        until(lambda: answers(running.url))
        assert running.process.poll() is None


def test_after_kill_9_of_up_its_parts_end_and_the_next_one_serves_the_same_port(environment: dict[str, str]) -> None:
    with up(environment) as running:
        number = running.url.rpartition(":")[2]
        parts = [pid for pid, command in family(running.process.pid).items() if "bot.app.parts" in command]
        assert len(parts) == 6
        running.process.kill()
        running.process.wait()
        with up(environment, "--port", number) as again:
            assert again.url == running.url
            assert answers(again.url)
            until(lambda: none_lives(parts))
    assert [server.pid for server in servers(running.data)] == [None, None]


@pytest.mark.parametrize(
    "name",
    ["web", pytest.param("worker", marks=pytest.mark.long), pytest.param("scheduler", marks=pytest.mark.long)],
)
def test_a_part_alone_revives_its_servers_and_leaves_nothing_running_when_told_to_stop(
    environment: dict[str, str], name: str
) -> None:
    options = ["--port", "0", "--workers", "1"] if name == "web" else []
    with command(environment, name, *options) as running:
        until(lambda: any("bot.app.parts" in line for line in family(running.pid).values()))
        killed = [server.pid for server in servers(Path(environment["FUGOU_DATA_DIR"]))]
        for pid in killed:
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
        until(lambda: all(s.pid not in (None, *killed) for s in servers(Path(environment["FUGOU_DATA_DIR"]))))
        below = list(family(running.pid))
        running.send_signal(signal.SIGTERM)
        assert running.wait(PATIENCE_SECONDS) == 0
    until(lambda: none_lives(below))


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


def test_the_processes_of_a_killed_web_command_stop_serving(environment: dict[str, str]) -> None:
    with command(environment, "web", "--port", "0", "--workers", "1") as running:
        assert running.stdout is not None
        url = running.stdout.readline().split()[1]
        until(lambda: answers(url))
        served = requests.get(f"{url}/healthz", timeout=5).json()["pid"]
        assert served != running.pid
        running.kill()
        running.wait()
        until(lambda: not lives(served))
