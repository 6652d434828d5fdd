"""Jobs: they exist when their cause does, happen once whatever dies, and what failed is seen and retried."""

import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from deeds.driver import PATIENCE_SECONDS, deeds, make_tables, permit, processes, rows, said, until
from deeds.jobs import count_up, fail_late, fail_once, fail_until, meet, note, slow, step
from procrastinate.schema import SchemaManager

from bot.app import house
from bot.core import clock, jobs
from bot.core.errors import NotFound
from bot.core.installation import Installation
from bot.core.jobs import failures
from bot.core.jobs.schema import NEWEST
from bot.core.servers import private_servers
from bot.core.settings import load


@pytest.fixture(autouse=True)
def soon_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dead workers are found after one second."""
    monkeypatch.setattr(failures, "DEAD_AFTER_SECONDS", 1.0)


def enqueue(shop: Installation, job: jobs.Job, **kwargs: Any) -> int:
    with shop.transaction("test") as session:
        made = jobs.enqueue(session, job, **kwargs)
    assert made is not None
    return made


def left(shop: Installation) -> dict[str, int]:
    with shop.transaction("test") as session:
        return jobs.counts(session)


def nothing_left(shop: Installation) -> Callable[[], bool]:
    """Sweeps as the scheduler does, until every job is done."""

    def look() -> bool:
        with shop.transaction("test") as session:
            jobs.sweep(session)
        return left(shop) == {}

    return look


def workers(shop: Installation, count: int = 1) -> AbstractContextManager[list[subprocess.Popen[bytes]]]:
    return processes(shop, "work", count)


def test_a_job_exists_exactly_when_the_change_that_causes_it_does(shop: Installation) -> None:
    with pytest.raises(ZeroDivisionError), shop.transaction("test") as session:
        jobs.enqueue(session, note, what="undone")
        raise ZeroDivisionError
    enqueue(shop, note, what="done")
    assert jobs.run_due(shop) == 1
    assert deeds(shop) == ["done"]
    assert left(shop) == {}


def test_higher_priority_goes_first_and_equals_in_order(shop: Installation) -> None:
    for what, priority in (("a", 0), ("b", 0), ("urgent", 100)):
        enqueue(shop, note, what=what, priority=priority)
    jobs.run_due(shop)
    assert deeds(shop) == ["urgent", "a", "b"]


def test_a_second_job_where_one_may_wait_is_not_added_and_harms_nothing(shop: Installation) -> None:
    permit(shop)
    with shop.transaction("test") as session:
        assert jobs.enqueue(session, fail_once, what="first") is not None
        assert jobs.enqueue(session, fail_once, what="second") is None
        jobs.enqueue(session, note, what="other")
    jobs.run_due(shop)
    assert deeds(shop) == ["first", "other"]


def test_a_job_waits_for_its_hour_on_the_clock_of_the_rules(shop: Installation) -> None:
    with shop.transaction("test") as session:
        jobs.enqueue(session, note, what="later", at=clock.now() + clock.timedelta(hours=3))
    assert jobs.run_due(shop) == 0
    clock.advance(3 * 3600)
    assert jobs.run_due(shop) == 1


def test_a_lock_on_a_job_of_the_future_is_refused_because_it_would_hold_the_others(shop: Installation) -> None:
    with shop.transaction("test") as session, pytest.raises(ValueError, match="lock 'customer:7' and is due"):
        jobs.enqueue(session, step, at=clock.now(), customer=7, number=1)


def test_what_a_job_does_names_the_job_and_the_event_that_caused_it(shop: Installation) -> None:
    with shop.transaction("test") as session:
        session.info["cause"] = 42
        jobs.enqueue(session, note, what="caused")
    jobs.run_due(shop)
    assert rows(shop, "SELECT actor || ' ' || cause FROM deeds") == ["job:deeds.note 42"]


def test_a_failed_job_keeps_its_reason_leaves_no_effect_and_is_retried_by_hand(shop: Installation) -> None:
    job_id = enqueue(shop, fail_until, what="pay", of_database=False)
    with pytest.raises(ZeroDivisionError):
        jobs.run_due(shop)
    assert deeds(shop) == []
    with shop.transaction("test") as session:
        [row] = jobs.failed(session)
    assert (row.id, row.name, row.args["what"], row.attempts) == (job_id, "deeds.fail_until", "pay", 1)
    assert row.error == "ZeroDivisionError: the till is empty"
    permit(shop)
    with shop.transaction("test") as session:
        jobs.retry(session, job_id)
    assert jobs.run_due(shop) == 1
    assert deeds(shop) == ["pay"]
    with shop.transaction("test") as session:
        assert jobs.failed(session) == []
        with pytest.raises(NotFound, match=f"no failed job has the id {job_id}"):
            jobs.retry(session, job_id)


def test_failed_jobs_are_listed_newest_first_by_the_page(shop: Installation) -> None:
    ids = [enqueue(shop, fail_until, what=str(n), of_database=False) for n in range(3)]
    for _ in ids:
        with pytest.raises(ZeroDivisionError):
            jobs.run_due(shop)
    with shop.transaction("test") as session:
        assert [row.id for row in jobs.failed(session, limit=2)] == [ids[2], ids[1]]
        assert [row.id for row in jobs.failed(session, limit=2, before=ids[1])] == [ids[0]]


def test_a_database_error_puts_the_job_back_until_it_works(shop: Installation) -> None:
    job_id = enqueue(shop, fail_until, what="pay", of_database=True)
    with pytest.raises(Exception, match="the connection is gone"):
        jobs.run_due(shop)
    assert left(shop) == {"todo": 1}
    assert rows(shop, f"SELECT state FROM job_progress WHERE job_id = {job_id}") == ["waiting"]
    assert jobs.run_due(shop) == 0, "it backs off first"
    permit(shop)
    clock.advance(2)
    assert jobs.run_due(shop) == 1
    assert deeds(shop) == ["pay"]
    assert rows(shop, f"SELECT state FROM job_progress WHERE job_id = {job_id} AND error IS NULL") == ["done"]


def test_a_job_whose_twin_waits_already_leaves_the_work_to_it(shop: Installation) -> None:
    first = enqueue(shop, fail_once, what="first")
    with pytest.raises(ZeroDivisionError):
        jobs.run_due(shop)
    permit(shop)
    enqueue(shop, fail_once, what="twin")
    with shop.transaction("test") as session:
        jobs.retry(session, first)
    jobs.run_due(shop)
    assert deeds(shop) == ["twin"]
    assert left(shop) == {}


def test_a_chunked_job_goes_on_after_a_failure_where_it_stopped(shop: Installation) -> None:
    job_id = enqueue(shop, count_up, until=4, trip_at=2)
    with pytest.raises(ZeroDivisionError):
        jobs.run_due(shop)
    assert deeds(shop) == ["0", "1"]
    progress = f"SELECT state || ' ' || done || '/' || total FROM job_progress WHERE job_id = {job_id}"
    assert rows(shop, progress) == ["failed 2/4"]
    permit(shop)
    with shop.transaction("test") as session:
        jobs.retry(session, job_id)
    jobs.run_due(shop)
    assert deeds(shop) == ["0", "1", "2", "3"]
    assert rows(shop, progress) == ["done 4/4"]


def test_two_workers_keep_the_order_of_each_customer(shop: Installation) -> None:
    for number in range(10):
        for customer in range(5):
            enqueue(shop, step, customer=customer, number=number)
    with workers(shop, 2):
        until(nothing_left(shop))
    for customer in range(5):
        assert [deed for deed in deeds(shop) if deed.startswith(f"{customer}:")] == [
            f"{customer}:{n}" for n in range(10)
        ]


def test_as_many_jobs_run_at_once_as_the_lane_is_wide(shop: Installation) -> None:
    for _ in range(jobs.LANES["default"]):
        enqueue(shop, meet, people=jobs.LANES["default"])
    with workers(shop):
        until(nothing_left(shop))
    assert deeds(shop) == ["met"] * jobs.LANES["default"]


def test_the_job_of_a_killed_worker_is_done_once_by_another(shop: Installation) -> None:
    enqueue(shop, slow, what="pay", seconds=1)
    with workers(shop) as [first]:
        until(said(shop, "pay"))
        first.kill()
        first.wait()
        assert deeds(shop) == []
        with workers(shop):
            until(nothing_left(shop))
    assert deeds(shop) == ["pay"]


def test_a_chunked_job_survives_kill_9_between_and_inside_chunks_with_each_chunk_once(shop: Installation) -> None:
    enqueue(shop, count_up, until=12, seconds=0.2)
    for chunk in (2, 5):
        with workers(shop) as [worker]:
            until(said(shop, f"chunk {chunk}"))
            worker.kill()
            worker.wait()
        until(lambda: nothing_left(shop)() or left(shop) == {"todo": 1})
    with workers(shop):
        until(nothing_left(shop))
    assert deeds(shop) == [str(number) for number in range(12)]


def test_a_frozen_worker_that_wakes_up_has_no_second_effect(shop: Installation) -> None:
    enqueue(shop, slow, what="pay", seconds=0.5)
    with workers(shop) as [frozen]:
        until(said(shop, "pay"))
        frozen.send_signal(signal.SIGSTOP)
        with workers(shop):
            until(nothing_left(shop))
            frozen.send_signal(signal.SIGCONT)
            enqueue(shop, note, what="after")
            until(nothing_left(shop))
            frozen.send_signal(signal.SIGTERM)
            frozen.wait(PATIENCE_SECONDS)
    assert deeds(shop) == ["pay", "after"]


def test_a_worker_told_to_stop_finishes_its_job_and_puts_a_chunked_one_back(shop: Installation) -> None:
    enqueue(shop, slow, what="pay", seconds=1)
    job_id = enqueue(shop, count_up, until=1000, seconds=0.05)
    with workers(shop) as [worker]:
        until(said(shop, "pay"))
        until(said(shop, "chunk 3"))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(PATIENCE_SECONDS) == 0
    assert "pay" in deeds(shop)
    assert left(shop) == {"todo": 1}
    [done] = rows(shop, f"SELECT done FROM job_progress WHERE job_id = {job_id} AND state = 'waiting'")
    assert 4 <= done < 1000
    assert rows(shop, f"SELECT attempts FROM procrastinate_jobs WHERE id = {job_id}") == [0]


def test_a_job_that_kills_every_worker_is_failed_in_the_end(
    shop: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "MOST_ATTEMPTS", 1)
    job_id = enqueue(shop, slow, what="poison", seconds=60)
    for attempt in range(2):
        with workers(shop) as [worker]:
            until(lambda attempt=attempt: rows(shop, "SELECT what FROM said").count("poison") == attempt + 1)
            worker.kill()
            worker.wait()
        until(lambda: nothing_left(shop)() or "doing" not in left(shop))
    with shop.transaction("test") as session:
        [row] = jobs.failed(session)
    assert (row.id, row.error) == (job_id, "its worker died 2 times")


def test_a_job_of_a_newer_program_waits_for_a_worker_that_knows_it(shop: Installation) -> None:
    stranger = jobs.Job("deeds.unheard_of", note.function, "default", 0, None, False)
    enqueue(shop, stranger, what="new")
    enqueue(shop, note, what="known")
    with workers(shop):
        until(lambda: deeds(shop) == ["known"])
        later = "SELECT scheduled_at > now() + interval '30 seconds' FROM procrastinate_jobs WHERE status = 'todo'"
        until(lambda: rows(shop, later) == [True])


def test_a_late_failure_of_a_frozen_worker_does_not_touch_the_job_of_the_living(shop: Installation) -> None:
    enqueue(shop, fail_late, seconds=1)
    with workers(shop) as [frozen]:
        until(said(shop, "started"))
        frozen.send_signal(signal.SIGSTOP)
        permit(shop)
        with workers(shop):
            until(lambda: nothing_left(shop)() or rows(shop, "SELECT what FROM said").count("started") == 2)
            frozen.send_signal(signal.SIGCONT)
            until(said(shop, "failing"))
            until(nothing_left(shop))
    assert deeds(shop) == ["paid"]


def test_an_outage_of_postgres_loses_no_job_doubles_none_and_leaves_the_worker_well(folder: Path) -> None:
    settings = load(data_dir=folder, secret_key="a secret key for tests, long enough to be one", _env_file=None)
    with private_servers(settings, fast=True) as servers, house.joined(settings, servers) as shop:
        house.prepare(shop)
        make_tables(shop)
        for number in range(40):
            enqueue(shop, slow, what=str(number), seconds=0.1)
        with workers(shop) as [worker]:
            until(said(shop, "5"))
            assert servers.postgres
            servers.postgres.stop()
            time.sleep(1.5)  # long enough for a heartbeat and a fetch to fail
            servers.ensure()
            shop.engine.dispose()
            until(nothing_left(shop))
            enqueue(shop, slow, what="40", seconds=2)  # a worker whose heart stopped would lose it to the sweep
            until(nothing_left(shop))
            assert worker.poll() is None
        assert sorted(deeds(shop), key=int) == [str(number) for number in range(41)]


def test_procrastinate_has_brought_no_schema_that_our_migrations_lack() -> None:
    files = sorted(path.name for path in Path(SchemaManager.get_migrations_path()).glob("*.sql"))
    assert (len(files), files[-1]) == (38, NEWEST)
