"""The private PostgreSQL and Valkey: shared by commands, stopped by the last, found again after kill -9."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest
import redis

from bot.core import settings
from bot.core.servers import Servers, ServerTrouble, daemon, home, private_servers

HOLD = """
import sys
from pathlib import Path
from bot.core import settings
from bot.core.servers import private_servers
with private_servers(settings.load(data_dir=Path(sys.argv[1]), _env_file=None), fast=True) as servers:
    print(servers.postgres.pid, servers.valkey.pid, flush=True)
    sys.stdin.read()
"""


def own(data_dir: Path, **overrides: object) -> settings.Settings:
    return settings.load(data_dir=data_dir, _env_file=None, **overrides)


@contextmanager
def another_command(data_dir: Path) -> Iterator[tuple[subprocess.Popen[str], int, int]]:
    """A second process that uses `data_dir` until it is told to leave: the process, PostgreSQL's pid, Valkey's."""
    with start_command(data_dir) as process:
        yield process, *pids(process)
        process.kill()


def start_command(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", HOLD, str(data_dir)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def pids(process: subprocess.Popen[str]) -> tuple[int, int]:
    assert process.stdout is not None
    postgres, valkey = map(int, process.stdout.readline().split())
    return postgres, valkey


def leave(process: subprocess.Popen[str]) -> None:
    process.communicate(timeout=30)
    assert process.returncode == 0


def connect(servers: Servers) -> "psycopg.Connection[tuple[object, ...]]":
    return psycopg.connect(servers.database_url.replace("+psycopg", ""))


def ask(servers: Servers, question: str) -> object:
    with connect(servers) as connection:
        return (connection.execute(question).fetchone() or [None])[0]


def keep(servers: Servers, answer: int) -> None:
    with connect(servers) as connection:
        connection.execute(f"CREATE TABLE kept AS SELECT {answer} AS answer")


def running(servers: Servers) -> tuple[int | None, int | None]:
    assert servers.postgres
    assert servers.valkey
    return servers.postgres.pid, servers.valkey.pid


def living(*processes: int) -> list[int]:
    """Those of `processes` that run; a zombie that init has not reaped yet does not."""
    wanted = ",".join(map(str, processes))
    listed = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-p", wanted], capture_output=True, text=True, check=False
    ).stdout
    states = dict(line.split() for line in listed.splitlines())
    return [pid for pid in processes if not states.get(str(pid), "Z").startswith("Z")]


def test_two_commands_share_the_servers_and_the_last_one_out_stops_them(folder: Path) -> None:
    with another_command(folder) as (process, postgres, valkey):
        with private_servers(own(folder), fast=True) as servers:
            assert running(servers) == (postgres, valkey)
        assert living(postgres, valkey) == [postgres, valkey]
        leave(process)
    assert living(postgres, valkey) == []


def test_what_a_killed_command_left_is_reused_and_then_stopped(folder: Path) -> None:
    with another_command(folder) as (process, postgres, valkey):
        process.kill()
    assert living(postgres, valkey) == [postgres, valkey]
    with private_servers(own(folder), fast=True) as servers:
        assert running(servers) == (postgres, valkey)
    assert living(postgres, valkey) == []


def test_commands_that_start_at_the_same_moment_end_up_with_one_pair(folder: Path) -> None:
    with ExitStack() as stack:
        starts = [start_command(folder) for _ in range(4)]
        pairs = {pids(stack.enter_context(process)) for process in starts}
        for process in starts:
            leave(process)
    assert len(pairs) == 1
    assert living(*pairs.pop()) == []


def test_crashed_servers_start_again_with_what_was_committed(folder: Path) -> None:
    with private_servers(own(folder)) as servers:
        assert servers.postgres
        assert servers.valkey
        keep(servers, 42)
        servers.postgres.kill()
        servers.valkey.kill()
        assert (servers.postgres.home.sockets / "valkey").exists(), "a stale socket is part of this test"
        stale = folder / "postgres" / "postmaster.pid"
        with subprocess.Popen(["sleep", "60"], **servers.postgres.home.process_options()) as reused:
            stale.write_text("\n".join([str(reused.pid), *stale.read_text().splitlines()[1:]]))
            servers.ensure()
            reused.kill()
        assert ask(servers, "SELECT answer FROM kept") == 42
        assert redis.Redis.from_url(servers.redis_url).ping()


def test_a_left_over_that_hangs_is_ended_and_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daemon, "HANG_LIMIT", 0.2)
    with another_command(folder) as (process, postgres, valkey):
        process.kill()
    os.kill(postgres, signal.SIGSTOP)
    os.kill(valkey, signal.SIGSTOP)
    with private_servers(own(folder), fast=True) as servers:
        assert ask(servers, "SELECT 1") == 1
        assert redis.Redis.from_url(servers.redis_url).ping()
    assert living(postgres, valkey) == []


def test_a_first_start_that_was_cut_short_is_begun_anew(folder: Path) -> None:
    (folder / "postgres.new").mkdir()
    (folder / "postgres.new" / "PG_VERSION").write_text("18")
    with private_servers(own(folder), fast=True) as servers:
        assert ask(servers, "SELECT 1") == 1


def test_restarting_postgres_cuts_connections_and_keeps_data(folder: Path) -> None:
    with private_servers(own(folder), fast=True) as servers:
        assert servers.postgres
        keep(servers, 7)
        before = servers.postgres.pid
        servers.restart_postgres()
        assert servers.postgres.pid != before
        assert ask(servers, "SELECT answer FROM kept") == 7


def test_the_database_is_durable_utf8_and_sorts_by_bytes(folder: Path) -> None:
    with private_servers(own(folder)) as servers:
        facts = "SELECT current_setting('fsync') || ' ' || current_setting('full_page_writes') || ' ' || \
                 current_setting('max_connections') || ' ' || pg_encoding_to_char(encoding) || ' ' || datcollate \
                 FROM pg_database WHERE datname = 'fugou'"
        assert ask(servers, facts) == "on on 300 UTF8 C"
        assert ask(servers, "SELECT current_setting('listen_addresses')") == ""


def test_postgres_never_runs_as_root(folder: Path) -> None:
    with private_servers(own(folder), fast=True):
        assert (folder / "postgres").stat().st_uid != 0


def test_a_data_dir_deeper_than_a_socket_path_may_be_works(folder: Path) -> None:
    deep = folder / ("very-long-name-" * 8) / "data"
    deep.mkdir(parents=True)
    with private_servers(own(deep), fast=True) as servers:
        assert ask(servers, "SELECT 1") == 1
        assert redis.Redis.from_url(servers.redis_url).ping()
        assert servers.postgres
    assert not servers.postgres.home.sockets.exists()


def test_a_socket_folder_that_another_made_first_is_refused(folder: Path) -> None:
    deep = home.Home((folder / ("very-long-name-" * 8)).resolve())
    deep.make()
    deep.sockets.mkdir(mode=0o755)
    try:
        with pytest.raises(ServerTrouble, match="not a folder of ours alone"), private_servers(own(deep.data)):
            pass
    finally:
        deep.sockets.rmdir()


def test_only_what_the_settings_do_not_name_is_started(folder: Path) -> None:
    with private_servers(own(folder, database_url="postgresql+psycopg://shop.example/fugou"), fast=True) as servers:
        assert servers.database_url == "postgresql+psycopg://shop.example/fugou"
        assert servers.postgres is None
        assert redis.Redis.from_url(servers.redis_url).ping()
    assert not (folder / "postgres").exists()


def test_a_data_dir_behind_a_closed_folder_is_refused_as_root_and_fine_for_its_owner(folder: Path) -> None:
    closed = folder / "closed"
    closed.mkdir(mode=0o700)
    if os.geteuid() != 0:
        with private_servers(own(closed / "data"), fast=True) as servers:
            assert ask(servers, "SELECT 1") == 1
    else:
        sentence = r"FUGOU_DATA_DIR .*closed/data can't be reached by the user \w+, as whom PostgreSQL runs"
        with pytest.raises(ServerTrouble, match=sentence), private_servers(own(closed / "data")):
            pass


def test_a_data_dir_that_cannot_be_made_is_one_sentence(folder: Path) -> None:
    (folder / "file").touch()
    with (
        pytest.raises(ServerTrouble, match="can't be made: Not a directory"),
        private_servers(own(folder / "file/data")),
    ):
        pass


def test_a_server_that_does_not_start_says_why_in_its_own_words(folder: Path) -> None:
    with private_servers(own(folder), fast=True):
        pass
    (folder / "postgres" / "PG_VERSION").write_text("9.6\n")
    with (
        pytest.raises(ServerTrouble, match=r"private postgres did not start; .*FATAL:  database files"),
        private_servers(own(folder)),
    ):
        pass


def test_programs_behind_a_closed_folder_are_copied_to_where_the_servers_user_reaches_them(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = folder / "closed"
    program = closed / "shutwheel" / "bin" / "program"
    program.parent.mkdir(parents=True)
    (program.parents[1] / "__init__.py").touch()
    program.write_text("#!/bin/sh\necho here\n")
    program.chmod(0o755)
    closed.chmod(0o700)
    monkeypatch.syspath_prepend(str(closed))
    place = home.Home(folder)
    found = home.wheel_binary(place, "shutwheel", "pytest", "bin/program")
    assert found is not None
    try:
        assert place.execute([str(found)]).stdout == "here\n"
        assert found == home.wheel_binary(place, "shutwheel", "pytest", "bin/program"), "copied once"
        if os.geteuid() == 0:
            found.parents[2].chmod(0o777)
            with pytest.raises(ServerTrouble, match="not ours alone"):
                home.wheel_binary(place, "shutwheel", "pytest", "bin/program")
    finally:
        if not found.is_relative_to(folder):
            shutil.rmtree(found.parents[2])
