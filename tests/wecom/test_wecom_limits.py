"""Counts before the call, and blocks after a refusal (wecom.md §3.2)."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from redis import ConnectionError

from bot.wecom.errors import Busy
from bot.wecom.limits import DAY, HOUR, LIMITS, MINUTE, USUAL, Limits, Usage, Window
from bot.wecom.shared import Shared

ENDPOINT = "externalcontact/add_moment_task"  # 10 a minute


@pytest.fixture
def clock():
    """System time at 10 seconds past a minute and an hour, in the future, since Redis forgets by its own clock."""
    start = datetime.now(UTC).replace(minute=0, second=10, microsecond=0) + timedelta(hours=2)
    with time_machine.travel(start, tick=False) as travelling:
        yield travelling


@pytest.fixture(params=["together", "alone"])
def limits(request, processes, clock) -> Limits:
    return Limits(processes[0] if request.param == "together" else Shared(None, "x"))


def test_what_a_minute_allows_is_taken_and_not_one_more(limits, clock):
    for _ in range(10):
        limits.take(ENDPOINT)
    with pytest.raises(Busy) as refusal:
        limits.take(ENDPOINT)
    assert (refusal.value.errcode, refusal.value.wait_s) == (45009, 50)
    assert not refusal.value.permanent
    limits.take("externalcontact/get")
    clock.shift(50)
    limits.take(ENDPOINT)


def test_a_refused_call_counts_nowhere(limits):
    for _ in range(10):
        limits.take(ENDPOINT)
    for _ in range(5):
        with pytest.raises(Busy):
            limits.take(ENDPOINT)
    assert limits.usage() == [Usage(ENDPOINT, MINUTE, 10, 10, pytest.approx(datetime.now(UTC).timestamp() + 50))]


def test_the_wait_is_that_of_the_longest_full_window(limits, monkeypatch):
    monkeypatch.setitem(LIMITS, "a/b", (Window(MINUTE, 1), Window(HOUR, 1)))
    limits.take("a/b")
    with pytest.raises(Busy) as refusal:
        limits.take("a/b")
    assert refusal.value.wait_s == HOUR - 10


def test_members_have_their_limit_each(limits):
    for _ in range(30):
        limits.take("message/send", ["lily"])
    with pytest.raises(Busy):
        limits.take("message/send", ["lily", "tom"])
    for _ in range(30):
        limits.take("message/send", ["tom"])
    assert limits.usage() == []


def test_endpoints_without_a_limit_of_their_own_have_the_usual_one(limits):
    limits.take("externalcontact/get")
    assert [(one.seconds, one.used, one.most) for one in limits.usage()] == [(60, 1, 10_000), (3_600, 1, 150_000)]
    assert (Window(60, 10_000), Window(3_600, 150_000)) == USUAL


def test_a_day_is_one_in_china():
    noon = datetime(2026, 11, 24, 4, 0, tzinfo=UTC).timestamp()
    assert Window(DAY, 1).ends(noon) == datetime(2026, 11, 24, 16, 0, tzinfo=UTC).timestamp()


def test_what_was_called_too_often_is_left_alone_for_a_minute(limits, clock):
    assert limits.block("externalcontact/get") == 60
    with pytest.raises(Busy):
        limits.take("externalcontact/get")
    clock.shift(20)
    assert limits.block("externalcontact/get") == 40  # a call that was under way
    with pytest.raises(Busy) as refusal:
        limits.take("externalcontact/get")
    assert refusal.value.wait_s == 40
    assert limits.blocked() == {"externalcontact/get": 40}
    limits.take("externalcontact/list")
    clock.shift(40)
    limits.take("externalcontact/get")
    assert limits.blocked() == {}


def test_a_block_that_did_not_help_is_followed_by_a_longer_one(limits, clock):
    blocks = []
    for _ in range(3):
        blocks.append(limits.block("externalcontact/get"))
        clock.shift(blocks[-1] + 1)
    assert blocks == [60, 3_600, 3_600]
    clock.shift(299)
    assert limits.block("externalcontact/get") == 60


def test_a_full_day_lasts_until_midnight_in_china(limits, clock):
    for _ in range(2):
        clock.shift(limits.block("media/uploadimg") + 1)
    now = datetime.now(UTC)
    midnight = (now + timedelta(hours=8)).replace(hour=0, minute=0, second=0) + timedelta(days=1, hours=-8)
    assert limits.block("media/uploadimg") == (midnight - now).total_seconds()


def test_a_banned_address_waits_an_hour(limits):
    assert limits.block("gettoken") == 3_600


def test_processes_count_together(processes, clock):
    first, second = (Limits(shared) for shared in processes)
    for _ in range(5):
        first.take(ENDPOINT)
        second.take(ENDPOINT)
    for one in (first, second):
        with pytest.raises(Busy):
            one.take(ENDPOINT)


def test_a_block_is_known_to_the_other_processes_within_a_second(processes, clock):
    first, second = (Limits(shared) for shared in processes)
    second.take("externalcontact/get")
    first.block("externalcontact/get")
    assert second.blocked() == {"externalcontact/get": 60}
    first.block("externalcontact/list")
    clock.shift(0.5)
    assert second.block("externalcontact/list") == 59.5
    clock.shift(0.5)
    with pytest.raises(Busy):
        second.take("externalcontact/get")


def test_installations_count_apart(redis, clock):
    for prefix in ("{one}", "{two}"):
        limits = Limits(Shared(redis, prefix))
        for _ in range(10):
            limits.take(ENDPOINT)


def test_counts_are_forgotten_after_their_window(processes, redis, prefix):
    Limits(processes[0]).take("externalcontact/get")
    ttls = {key.split(":")[-2]: redis.ttl(key) for key in redis.scan_iter(f"{prefix}calls:*")}
    assert ttls.keys() == {"60", "3600"}
    assert 0 < ttls["60"] <= 61
    assert 0 < ttls["3600"] <= 3_601


def test_threads_take_no_more_than_there_is(limits):
    taken = []

    def work() -> None:
        for _ in range(5):
            try:
                limits.take(ENDPOINT)
                taken.append(1)
            except Busy:
                return

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) <= 10


def test_while_redis_is_away_a_process_counts_for_itself(no_redis, clock):
    limits = Limits(Shared(no_redis, "x"))
    for _ in range(10):
        limits.take(ENDPOINT)
    with pytest.raises(Busy):
        limits.take(ENDPOINT)
    assert limits.block("externalcontact/get") == 60


def test_redis_that_failed_is_not_asked_again_at_once(redis):
    asked = []

    def fail(_: object) -> None:
        asked.append(1)
        raise ConnectionError

    shared = Shared(redis, "x")
    assert [shared.ask(fail, lambda: "alone") for _ in range(3)] == ["alone"] * 3
    assert len(asked) == 1


def test_a_process_forgets_counts_too(clock):
    limits = Limits(Shared(None, "x"))
    for _ in range(3):
        limits.take("externalcontact/get")
        clock.shift(2 * HOUR)
    limits.take("externalcontact/get")
    assert [one.used for one in limits.usage()] == [1, 1]
    assert len(limits._own._hashes) == 2
