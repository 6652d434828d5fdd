"""What happens by the clock happens once however many schedulers run, and is made up for when it was missed."""

import signal
from datetime import datetime, timedelta

import pytest
from deeds.driver import PATIENCE_SECONDS, deeds, permit, processes, rows, until
from deeds.jobs import note
from sqlalchemy import text

from bot.app import scheduler
from bot.core import clock, jobs, ticks
from bot.core.installation import Installation
from bot.core.jobs import Progress


@pytest.fixture
def by_night(shop: Installation) -> Installation:
    """At 20:00 in Shanghai, with every tick seen for the first time."""
    local = clock.now().astimezone(shop.settings.timezone)
    clock.advance(
        (local.replace(hour=20, minute=0, second=0, microsecond=0) - local + timedelta(days=1)).total_seconds()
    )
    ticks.run(shop)
    return shop


def pass_until(shop: Installation, hour: int, minute: int) -> None:
    local = clock.now().astimezone(shop.settings.timezone)
    then = datetime.combine(local.date() + timedelta(days=1), datetime.min.time(), shop.settings.timezone)
    clock.advance((then.replace(hour=hour, minute=minute) - local).total_seconds())


def count(shop: Installation, what: str) -> int:
    return deeds(shop).count(what)


def beats(shop: Installation) -> int:
    return len([deed for deed in deeds(shop) if deed.startswith("beat")])


def test_a_nightly_tick_runs_at_the_brands_local_time_and_once(by_night: Installation) -> None:  # G2
    assert count(by_night, "nightly") == 0
    pass_until(by_night, 3, 9)
    ticks.run(by_night)
    assert count(by_night, "nightly") == 0
    clock.advance(60)
    ticks.run(by_night)
    ticks.run(by_night)
    assert count(by_night, "nightly") == 1


def test_nights_that_were_missed_are_made_up_for_once(by_night: Installation) -> None:
    clock.advance(7 * 86400)
    ticks.run(by_night)
    ticks.run(by_night)
    assert count(by_night, "nightly") == 1


def test_a_tick_of_seconds_runs_at_once_then_that_far_apart(by_night: Installation) -> None:
    assert count(by_night, "errand") == 1
    clock.advance(500)
    ticks.run(by_night)
    assert count(by_night, "errand") == 1
    clock.advance(3600)
    ticks.run(by_night)
    assert count(by_night, "errand") == 2


def test_a_clock_that_was_set_back_does_not_hold_a_tick_up(by_night: Installation) -> None:
    clock.advance(-7200)
    ticks.run(by_night)
    assert count(by_night, "errand") == 2


def test_a_tick_that_fails_keeps_its_reason_leaves_no_effect_and_comes_again(by_night: Installation) -> None:
    error = "SELECT error FROM ticks WHERE name = 'deeds.stumble'"
    assert "division by zero" in rows(by_night, error)[0]
    assert "stumbled through" not in deeds(by_night)
    permit(by_night)
    clock.advance(59)
    ticks.run(by_night)
    assert "stumbled through" not in deeds(by_night), "not before its minute has passed"
    clock.advance(2)
    ticks.run(by_night)
    assert "stumbled through" in deeds(by_night)
    assert rows(by_night, error) == [None]


def test_of_two_schedulers_one_is_active_and_the_other_takes_over_when_it_is_killed(shop: Installation) -> None:
    with processes(shop, "schedule", 2) as pair:
        until(lambda: beats(shop) >= 2)
        [first] = {int(deed.split()[1]) for deed in deeds(shop) if deed.startswith("beat")}
        [active] = [process for process in pair if process.pid == first]
        [other] = [process for process in pair if process.pid != first]
        active.kill()
        until(lambda: f"beat {other.pid}" in deeds(shop))
        other.send_signal(signal.SIGTERM)
        assert other.wait(PATIENCE_SECONDS) == 0


def test_a_scheduler_whose_connection_was_cut_goes_on(shop: Installation) -> None:
    with processes(shop, "schedule"):
        until(lambda: beats(shop) >= 1)
        with shop.transaction("test") as session:
            session.execute(text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                                 "WHERE datname = current_database() AND pid <> pg_backend_pid()"))  # fmt: skip
        before = beats(shop)
        until(lambda: beats(shop) >= before + 2)


def test_the_house_sweeps_makes_partitions_and_forgets_old_progress(shop: Installation) -> None:
    with shop.transaction("test") as session:
        session.add(Progress.begun(77, "deeds.note"))
        session.execute(text("INSERT INTO procrastinate_jobs (queue_name, task_name, status, args) "
                             "VALUES ('default', 'deeds.note', 'doing', '{\"what\": \"left\"}')"))  # fmt: skip
    scheduler.turn(shop)
    assert jobs.run_due(shop) == 1
    assert deeds(shop).count("left") == 1
    clock.advance(150 * 86400)
    scheduler.turn(shop)
    assert rows(shop, "SELECT job_id FROM job_progress") == []
    this_month = clock.month_of(clock.now(), clock.UTC).replace("-", "_")
    assert rows(shop, f"SELECT to_regclass('events_{this_month}') IS NOT NULL") == [True]


def test_an_advanced_clock_makes_scheduled_jobs_due(shop: Installation) -> None:
    with shop.transaction("test") as session:
        jobs.enqueue(session, note, what="later", at=clock.now() + timedelta(hours=3))
    clock.advance(3 * 3600 + 1)
    scheduler.turn(shop)
    assert rows(shop, "SELECT scheduled_at FROM procrastinate_jobs") == [None]
