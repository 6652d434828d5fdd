"""The database as a session meets it: connections that are whole, statements that travel together."""

import os
import select
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.core.db import connect
from bot.core.installation import Installation
from bot.core.sets import given, run, run_all, run_later

IDLE = "TCP_KEEPALIVE" if sys.platform == "darwin" else "TCP_KEEPIDLE"
KEEPALIVE = [getattr(socket, name) for name in (IDLE, "TCP_KEEPINTVL", "TCP_KEEPCNT")]
PREPARED = "SELECT count(*) FROM pg_prepared_statements WHERE statement LIKE 'INSERT INTO points_months%%'"


def points(installation: Installation) -> list[tuple[int]]:
    with installation.transaction("test") as session:
        return run(session, "SELECT net_fen FROM points_months ORDER BY customer_id")


def month(customer_id: int, net_fen: int) -> tuple[str, dict[str, int]]:
    """A row without a foreign key, stored as the statements of the house are."""
    statement = "INSERT INTO points_months (customer_id, month, steps_id, net_fen, base)"
    return f"{statement} VALUES (%(c)s, '', 0, %(n)s, 0)", {"c": customer_id, "n": net_fen}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 9])
def test_rows_come_out_as_they_went_in_however_many_there_are(session: Session, count: int) -> None:
    at = datetime(2026, 11, 24, 8, 30, 0, 123456, timezone(timedelta(hours=8)))
    told = [
        {"n": 2**40 + n, "t": 'A\'s "100 %"\\', "at": at if n % 2 else None, "d": {"说": [n, None]}, "b": n > 1}
        for n in range(count)
    ]
    table, values = given("told", "n bigint, t text, at timestamptz, d jsonb, b boolean", told)
    assert run(session, f"SELECT n, t, at, d, b FROM {table} ORDER BY n", **values) == [
        tuple(row.values()) for row in told
    ]


def test_a_statement_that_failed_does_not_tell_what_it_was_about(installation: Installation) -> None:  # S3
    told = []
    for fail in (
        lambda session: session.execute(text("SELECT 1 / length(:phone) / 0"), {"phone": "13800138000"}),
        lambda session: run(session, "SELECT 1 / length(%(phone)s) / 0", phone="13800138000"),
    ):
        with pytest.raises(DBAPIError) as failed, installation.transaction("test") as session:
            fail(session)
        told.append(str(failed.value))
    assert all("division by zero" in one for one in told)
    assert not any("13800138000" in one for one in told)


def test_a_connection_that_its_server_has_closed_is_not_used_again(installation: Installation) -> None:
    with installation.engine.connect() as idle, installation.engine.connect() as other:
        pids = [one.scalar(text("SELECT pg_backend_pid()")) for one in (idle, other)]
        idle.close()
        assert other.scalar(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pids[0]})
        other.rollback()
        with installation.engine.connect() as fresh:
            assert fresh.scalar(text("SELECT pg_backend_pid()")) not in pids


def test_a_refusal_leaves_prepared_statements_as_they_are(installation: Installation) -> None:
    statement, values = month(1, 100)
    with pytest.raises(ZeroDivisionError), installation.transaction("test") as session:
        run(session, statement, **values)
        raise ZeroDivisionError
    assert points(installation) == []
    with installation.transaction("test") as session:
        assert run(session, PREPARED) == [(1,)]


def test_a_statement_is_planned_anew_where_a_savepoint_has_made_the_driver_forget_all_plans(
    installation: Installation,
) -> None:
    statement, values = month(1, 100)
    with installation.transaction("test") as session:
        run(session, statement, **values)
        run(session, "DELETE FROM points_months")
        savepoint = session.begin_nested()
        for _ in range(7):  # from the sixth on the driver keeps a plan of its own
            session.execute(text("SELECT 1 WHERE :n = 1"), {"n": 1})
        savepoint.rollback()
        run(session, statement, **values)
    assert points(installation) == [(100,)]


def test_of_statements_sent_together_none_behind_one_that_failed_is_run(installation: Installation) -> None:
    statement, values = month(1, 100)
    with installation.engine.connect() as connection, Session(connection) as session:
        with pytest.raises(DBAPIError, match="division by zero"):
            run_all(session, ("SELECT 1 / 0", {}), (statement, values))
        session.rollback()
        assert run_all(session, (statement, values), ("SELECT net_fen FROM points_months", {})) == [[], [(100,)]]


def test_statements_sent_together_see_what_was_written_under_the_lock_they_waited_for(
    installation: Installation,
) -> None:  # P1
    with installation.transaction("test") as session:
        statement, values = month(1, 100)
        run(session, statement, **values)
    read: list[list[tuple[int]]] = []

    def wait_and_read() -> None:
        with installation.transaction("test") as session:
            lock = "SELECT 1 FROM points_months WHERE customer_id = 1 FOR UPDATE"
            read.extend(run_all(session, (lock, {}), ("SELECT net_fen FROM points_months ORDER BY customer_id", {})))

    waiter = threading.Thread(target=wait_and_read)
    with installation.transaction("test") as session:
        run(session, "UPDATE points_months SET net_fen = 200")
        waiter.start()
        blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        end = time.monotonic() + 60
        while run(session, blocked) == [(0,)]:
            assert time.monotonic() < end
        statement, values = month(2, 300)
        run(session, statement, **values)
    waiter.join(60)
    assert read == [[(1,)], [(200,), (300,)]]


def test_a_statement_for_later_comes_before_the_next_one_and_before_the_commit(installation: Installation) -> None:
    with installation.transaction("test") as session:
        statement, values = month(1, 100)
        run_later(session, statement, **values)
        assert session.scalar(text("SELECT net_fen FROM points_months")) == 100
        statement, values = month(2, 200)
        run_later(session, statement, **values)
    assert points(installation) == [(100,), (200,)]


def test_what_a_statement_for_later_raises_leaves_nothing_behind(installation: Installation) -> None:  # G5
    statement, values = month(1, 100)
    with pytest.raises(DBAPIError, match="duplicate key"), installation.transaction("test") as session:
        run(session, statement, **values)
        run_later(session, statement, **values)
    assert points(installation) == []
    with pytest.raises(ZeroDivisionError), installation.transaction("test") as session:
        run_later(session, statement, **values)
        raise ZeroDivisionError
    assert points(installation) == []


def test_a_database_reached_by_tcp_that_goes_without_a_word_is_noticed_within_half_a_minute(
    installation: Installation,
) -> None:
    with by_tcp(installation) as engine, engine.connect() as connection:
        with socket.socket(fileno=os.dup(connection.connection.driver_connection.fileno())) as ours:
            assert ours.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            idle, interval, count = (ours.getsockopt(socket.IPPROTO_TCP, name) for name in KEEPALIVE)
            assert idle + interval * count <= 30
            if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
                assert 0 < ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 30_000
        assert connection.scalar(text("SELECT 1")) == 1


@contextmanager
def by_tcp(installation: Installation) -> Iterator[Engine]:
    """An engine that reaches the database by TCP; the private server itself listens at a socket file."""
    url = make_url(installation.database_url)
    place = f"{url.query['host']}/.s.PGSQL.{url.query['port']}"
    with socket.create_server(("127.0.0.1", 0)) as door:
        relay = threading.Thread(target=carry, args=(door, place), daemon=True)
        relay.start()
        engine = connect(url.set(host="127.0.0.1", port=door.getsockname()[1], query={}).render_as_string())
        try:
            yield engine
        finally:
            engine.dispose()
            relay.join(30)


def carry(door: socket.socket, place: str) -> None:
    """Carry bytes both ways between one connection that comes and the socket file, until one side ends."""
    with door.accept()[0] as client, socket.socket(socket.AF_UNIX) as server:
        server.connect(place)
        while True:
            for one in select.select([client, server], [], [])[0]:
                said = one.recv(65_536)
                if not said:
                    return
                (server if one is client else client).sendall(said)


@pytest.mark.parametrize("words", [["a", "b,c", ""], ['say "no"', "{}"], ["back\\slash"], ["NULL", "客户 ' 1"], []])
def test_lists_arrive_as_they_are(installation: Installation, words: list[str]) -> None:
    numbers = [0, -1, 2**62]
    with installation.transaction("test") as session:
        [(said, counted)] = run(session, "SELECT %(w)s::text[], %(n)s::bigint[]", w=words, n=numbers)
    assert (said, counted) == (words, numbers)
