"""One token for all processes, fetched once, replaced once (wecom.md §3.1, §7)."""

import threading

import pytest
from redis import Redis

from bot.wecom.errors import Busy, NotSent, TokenRejected, WeComError
from bot.wecom.shared import Shared
from bot.wecom.tokens import Lease


class WeComOfTokens:
    """Lends T1, T2, … or says `failure`; remembers how often it was asked."""

    def __init__(self) -> None:
        self.asked = 0
        self.seconds = 7200.0
        self.failure: WeComError | None = None
        self.same = False
        self.going_on = threading.Event()
        self.going_on.set()

    def __call__(self) -> tuple[str, float]:
        self.asked += 1
        assert self.going_on.wait(10)
        if self.failure is not None:
            raise self.failure
        return f"T{1 if self.same else self.asked}", self.seconds

    def lease(self, shared: Shared, owner: str = "ww1 secret", kind: str = "token") -> Lease:
        return Lease(kind, owner, self, shared)


@pytest.fixture
def lender() -> WeComOfTokens:
    return WeComOfTokens()


class Monotonic:
    """The clock of the machinery, in the test's hands."""

    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds

    def shift(self, seconds: float) -> None:
        self.seconds += seconds


@pytest.fixture
def clock(monkeypatch) -> Monotonic:
    made = Monotonic()
    monkeypatch.setattr("bot.wecom.tokens.monotonic", made)
    return made


def together(*steps: object) -> None:
    threads = [threading.Thread(target=step) for step in steps]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()


def test_threads_and_processes_share_one_fetch(lender, processes):
    leases = [lender.lease(shared) for shared in processes]
    found: list[str] = []
    lender.going_on.clear()
    threading.Timer(0.2, lender.going_on.set).start()
    together(*[lambda lease=lease: found.append(lease.get()) for lease in leases * 16])
    assert (found, lender.asked) == (["T1"] * 32, 1)


def test_secrets_and_kinds_have_values_of_their_own(lender, processes):
    shared = processes[0]
    leases = [lender.lease(shared), lender.lease(shared, "ww1 other"), lender.lease(shared, kind="get_jsapi_ticket")]
    assert [lease.get() for lease in leases] == ["T1", "T2", "T3"]


def test_a_value_is_kept_until_a_minute_before_its_end(lender, clock):
    lease = lender.lease(Shared(None, "x"))
    assert lease.get() == "T1"
    clock.shift(7139)
    assert lease.get() == "T1"
    clock.shift(1)
    assert lease.get() == "T2"


def test_what_is_left_of_a_value_is_used_instead_of_asking_at_each_call(lender, clock):
    lender.seconds = 30
    lease = lender.lease(Shared(None, "x"))
    assert lease.get() == "T1"
    clock.shift(26)
    assert lease.get() == "T1"
    clock.shift(1)
    assert lease.get() == "T2"


def test_another_process_takes_over_the_remaining_life(lender, processes, redis, prefix, clock):
    lender.lease(processes[0]).get()
    key = next(redis.scan_iter(f"{prefix}token:*"))
    assert 7_130_000 < redis.pttl(key) <= 7_140_000
    redis.pexpire(key, 1_000)
    other = lender.lease(processes[1])
    assert other.get() == "T1"
    redis.delete(key)
    assert other.get() == "T1"
    clock.shift(1)
    assert other.get() == "T2"


def test_the_first_to_meet_a_rejection_replaces_the_value_for_all(lender, processes):
    first, second = (lender.lease(shared) for shared in processes)
    assert first.get() == second.get() == "T1"
    together(*[lambda lease=lease: lease.renew("T1") for lease in (first, second) * 8])
    assert (first.get(), second.get(), lender.asked) == ("T2", "T2", 2)


def test_a_late_rejection_of_a_former_value_replaces_nothing(lender, processes):
    first, second = (lender.lease(shared) for shared in processes)
    first.get(), second.get(), first.renew("T1")
    assert first.renew("T1") == "T2"
    assert second.renew("T1") == "T2"
    assert lender.asked == 2


def test_a_replacement_that_is_rejected_at_once_is_not_replaced_for_a_second(lender, clock):
    lease = lender.lease(Shared(None, "x"))
    lease.get(), lease.renew("T1")
    assert [lease.renew("T2") for _ in range(5)] == ["T2"] * 5
    clock.shift(1)
    assert lease.renew("T2") == "T3"


def test_wecom_may_lend_the_same_value_again(lender, processes):
    lender.same = True
    lease = lender.lease(processes[0])
    assert lease.get() == lease.renew("T1") == "T1"
    assert lender.asked == 2


FAILURES = [
    (TokenRejected("gettoken", 40001, "no", 60.0), 10), (NotSent("gettoken", None, "refused"), 1),
    (Busy("gettoken", 45009, "banned", 3600.0), 3600),
]  # fmt: skip


@pytest.mark.parametrize("failure", [failure for failure, _ in FAILURES])
def test_those_who_queued_behind_a_failure_share_it(lender, failure):
    lender.failure = failure
    lender.going_on.clear()
    lease, said = lender.lease(Shared(None, "x")), []

    def work() -> None:
        with pytest.raises(WeComError) as refusal:
            lease.get()
        said.append(str(refusal.value))

    threading.Timer(0.2, lender.going_on.set).start()
    together(*[work] * 16)
    assert (said, lender.asked) == ([str(failure)] * 16, 1)


@pytest.mark.parametrize(("failure", "held_s"), FAILURES)
def test_after_a_failure_wecom_is_asked_again_but_not_at_once(lender, clock, failure, held_s):
    lender.failure = failure
    lease = lender.lease(Shared(None, "x"))
    for pause in (0, held_s - 0.5, 0):
        clock.shift(pause)
        with pytest.raises(type(failure)):
            lease.get()
    clock.shift(0.5)
    lender.failure = None
    assert (lease.get(), lender.asked) == ("T2", 2)


def test_a_failure_here_does_not_hide_what_another_process_fetched(lender, processes):
    lender.failure = NotSent("gettoken")
    first, second = (lender.lease(shared) for shared in processes)
    with pytest.raises(NotSent):
        first.get()
    lender.failure = None
    assert second.get() == first.get() == "T2"


def test_while_redis_is_away_each_process_fetches_its_own(lender, no_redis):
    first, second = (lender.lease(Shared(no_redis, "x")) for _ in range(2))
    assert [first.get(), first.get(), second.get(), second.renew("T2")] == ["T1", "T1", "T2", "T3"]


def test_a_process_that_died_in_its_turn_does_not_stop_the_others(lender, processes, redis, prefix, monkeypatch):
    monkeypatch.setattr("bot.wecom.tokens.LOCK_S", 0.2)
    lease = lender.lease(processes[0])
    redis.set(f"{lease._key}:lock", "a dead process", px=100)
    assert lease.get() == "T1"
    lease = lender.lease(processes[0], "another")
    redis.set(f"{lease._key}:lock", "one that hangs")
    assert lease.get() == "T2"


def test_a_turn_ends_by_itself_should_its_process_die(lender, processes, redis):
    left = []

    def lend() -> tuple[str, float]:
        left.append(redis.pttl(f"{lease._key}:lock"))
        return "T1", 7200

    lease = Lease("token", "ww1 secret", lend, processes[0])
    lease.get()
    assert 0 < left[0] <= 10_000


def test_the_lock_is_given_back_whatever_happens(lender, processes, redis):
    lease = lender.lease(processes[0])
    lender.failure = NotSent("gettoken")
    with pytest.raises(NotSent):
        lease.get()
    assert redis.get(f"{lease._key}:lock") is None


def test_no_key_of_redis_shows_the_secret(lender, processes, redis: Redis, prefix):
    lender.lease(processes[0], "ww1 a-secret").get()
    keys = [str(key) for key in redis.scan_iter(f"{prefix}*")]
    assert len(keys) == 1
    assert "secret" not in keys[0]
