"""The way in: what WeCom delivers is kept once, in order, or refused without a trace (G5, G6)."""

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import psycopg
import pytest
import requests
from sealing import added, deliver, sealed, signed
from shop import Shop, listening, served
from sqlalchemy import select, text

from bot.core import clock
from bot.core.installation import Installation
from bot.wecom import claims, inbox, messages
from bot.wecom.callback import Entry, Row, Writer, middleware
from bot.wecom.inbox import InboxRow, Receiver
from bot.wecom.lane import Lane


def rows(installation: Installation) -> list[InboxRow]:
    with installation.transaction("test") as session:
        return list(
            session.scalars(select(InboxRow).where(InboxRow.source.in_(["contact", "app", "kf"])).order_by(InboxRow.id))
        )


def test_fifty_customers_added_in_one_second_are_fifty(shop: Shop) -> None:  # G5
    xml = [added(f"wmA{number:029d}", created=1_790_000_000) for number in range(50)]
    with ThreadPoolExecutor(16) as pool:
        assert {answer.status_code for answer in pool.map(lambda one: deliver(shop.url, one), xml)} == {200}
    assert len(rows(shop.installation)) == 50


def test_a_second_and_third_delivery_is_a_200_and_changes_nothing(shop: Shop) -> None:  # G5
    for source in ("contact", "app", "kf"):
        answer = deliver(shop.url, added("wmAnna"), source)
        assert (answer.status_code, answer.content) == (200, b"")
    assert len(rows(shop.installation)) == 1


def test_the_address_is_verified_with_the_bare_echo(shop: Shop) -> None:
    secret = sealed("1616140317555161061")[1].split(b"[CDATA[")[3].split(b"]]")[0].decode()
    query = {**signed(secret), "echostr": secret}
    for source in ("contact", "app", "kf"):
        answer = requests.get(f"{shop.url}/wecom/callback/{source}", params=query, timeout=5)
        assert (answer.status_code, answer.content) == (200, b"1616140317555161061")
    assert (
        requests.get(f"{shop.url}/wecom/callback/contact", params={**query, "nonce": "x"}, timeout=5).status_code == 403
    )


def test_what_is_not_from_wecom_is_refused_and_not_kept(shop: Shop) -> None:  # G6
    def post(body: bytes, **query: str) -> int:
        return requests.post(f"{shop.url}/wecom/callback/contact", params=query, data=body, timeout=10).status_code

    query, body = sealed(added("wmAnna"))
    answers = {
        "bad signature": post(body, **{**query, "msg_signature": "0" * 40}),
        "no signature": post(body),
        "another corp": deliver(shop.url, added("wmAnna"), corp="ww9999999999999999").status_code,
        "other token": deliver(shop.url, added("wmAnna"), token="guessed").status_code,
        "a DTD around it": post(b'<!DOCTYPE xml [<!ENTITY a "b">]>' + body, **query),
        "a DTD inside": deliver(shop.url, f'<!DOCTYPE xml [<!ENTITY a "b">]>{added("wmAnna")}').status_code,
        "random bytes": post(os.urandom(2_000), **query),
        "nothing": post(b"", **query),
        "over 1 MiB": post(b"x" * (1024 * 1024 + 1), **query),
        "nowhere": requests.post(f"{shop.url}/wecom/callback/else", params=query, data=body, timeout=5).status_code,
    }
    assert answers == {
        "bad signature": 403, "no signature": 403, "another corp": 403, "other token": 403,
        "a DTD around it": 400, "a DTD inside": 400,
        "random bytes": 400, "nothing": 400, "over 1 MiB": 413, "nowhere": 404,
    }  # fmt: skip
    assert rows(shop.installation) == []
    assert deliver(shop.url, added("wmAnna")).status_code == 200
    assert len(rows(shop.installation)) == 1


def test_what_can_not_be_read_is_kept_parked_and_can_be_retried_by_hand(shop: Shop) -> None:  # G6
    assert deliver(shop.url, "<xml><unclosed>").status_code == 200
    [row] = rows(shop.installation)
    assert row.parked_at
    assert row.error
    with shop.installation.transaction("operator:1") as session:
        inbox.retry(session, row.id)
    shop.run_jobs()
    [row] = rows(shop.installation)
    assert row.parked_at, "still unreadable: parked again, not lost"


@pytest.fixture
def failing() -> list[str]:
    """Ids whose callbacks fail in processing while they stand in this list."""
    bad: list[str] = []

    def fail(session: object, message: messages.ContactAdded) -> None:
        if message.external_userid in bad:
            raise RuntimeError(f"no luck with {message.external_userid}")

    inbox.receivers.entries.append(Receiver(messages.ContactAdded, None, fail))
    return bad


def test_what_fails_is_retried_then_parked_holding_its_key_ten_minutes_at_most(
    shop: Shop, failing: list[str]
) -> None:  # G6
    failing.append("wmAnna")
    for xml in (added("wmAnna"), added("wmAnna", userid="leo"), added("wmBella")):
        assert deliver(shop.url, xml).status_code == 200
    shop.run_jobs()
    first, behind, other = rows(shop.installation)
    assert first.attempts >= 1
    assert first.error == "RuntimeError: no luck with wmAnna"
    assert other.done_at, "another's callback is not held up"
    assert behind.done_at is None, "hers wait in their order"
    began = clock.now()
    while not rows(shop.installation)[1].attempts:
        shop.pass_time(seconds=5)
        shop.run_jobs()
    assert rows(shop.installation)[0].parked_at
    assert (clock.now() - began).total_seconds() <= 630
    failing.clear()
    with shop.installation.transaction("operator:1") as session:
        inbox.retry(session, first.id)
    shop.pass_time(seconds=600)
    shop.run_jobs()
    assert all(row.done_at for row in rows(shop.installation))


def test_a_commit_that_fails_once_under_32_connections_is_503_for_its_rows_alone(
    installation: Installation,
) -> None:  # G5 G6
    write, failures = Writer(installation.database_url), [True]

    def flaky(batch: list[Row]) -> None:
        if failures and len(batch) > 1:
            failures.pop()
            raise psycopg.OperationalError("the disk was full for a moment")
        write(batch)

    entry = Entry(installation, flaky)
    deliveries = [sealed(added(f"wmB{number:029d}")) for number in range(320)]
    app = middleware(entry, lambda environ, start: [])
    with closing(write), listening() as (listener, url), served(app, listener), ThreadPoolExecutor(32) as pool:

        def post(one: tuple[dict[str, str], bytes]) -> int:
            return requests.post(f"{url}/wecom/callback/contact", params=one[0], data=one[1], timeout=10).status_code

        answers = list(pool.map(post, deliveries))
    assert failures == [], "no batch of several came together, so nothing was tried"
    assert set(answers) == {200, 503}
    assert len(rows(installation)) == answers.count(200)


def test_while_the_database_hangs_callbacks_are_refused_before_wecom_gives_up(installation: Installation) -> None:  # G5
    write, begun = Writer(installation.database_url), threading.Event()

    def noted(batch: list[Row]) -> None:
        begun.set()
        write(batch)

    app = middleware(Entry(installation, noted), lambda environ, start: [])
    with closing(write), listening() as (listener, url), served(app, listener), ThreadPoolExecutor(10) as pool:

        def post(number: int, patience_s: float) -> tuple[int, str | None]:
            query, body = sealed(added(f"wmB{number:029d}"))
            answer = requests.post(f"{url}/wecom/callback/contact", params=query, data=body, timeout=patience_s)
            return answer.status_code, answer.headers.get("Retry-After")

        assert post(0, 5) == (200, None)
        with installation.engine.connect() as connection:
            theirs = "SELECT pid FROM pg_stat_activity WHERE query LIKE '%INTO inbox%' AND pid <> pg_backend_pid()"
            ours = "datname = current_database()"  # others' tests have theirs beside us
            pid = connection.execute(text(f"{theirs} AND {ours}")).scalar_one()
        begun.clear()
        os.kill(pid, signal.SIGSTOP)
        try:
            leading = pool.submit(post, 1, 60)
            assert begun.wait(10)
            behind = list(pool.map(lambda number: post(number, 5), range(2, 10)))  # WeCom waits 5 s
            later = post(10, 3)  # it is known by now, so nobody waits
        finally:
            os.kill(pid, signal.SIGCONT)
        assert {*behind, later} == {(503, "2")}
        assert leading.result() == (200, None)
        assert post(11, 5) == (200, None)
    assert len(rows(installation)) == 3


def test_callbacks_of_one_customer_are_taken_in_order_by_two_lanes(shop: Shop) -> None:  # G5
    seen: list[str] = []

    def note(session: object, message: messages.ContactAdded) -> None:
        seen.append(f"{message.external_userid} {message.userid}")

    inbox.receivers.entries.append(Receiver(messages.ContactAdded, None, note))
    for number in range(60):
        assert deliver(shop.url, added(f"wm{number % 3}", userid=f"staff{number:02}")).status_code == 200
    lanes = [Lane(shop.installation, shop.client) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda lane: lane.drain(), lanes))
    for who in ("wm0", "wm1", "wm2"):
        hers = [one for one in seen if one.startswith(who)]
        assert hers == sorted(hers)
    assert len(seen) == len(set(seen)) == 60


def test_two_processes_of_the_lane_share_a_burst_and_read_nothing_twice(shop: Shop) -> None:  # G5
    read: list[str] = []
    taken: list[str] = []
    stop, done = threading.Event(), threading.Event()

    def look(installation: object, wecom: object, message: messages.ContactAdded) -> None:
        read.append(message.external_userid)

    def take(session: object, message: messages.ContactAdded, found: None) -> None:
        taken.append(message.external_userid)
        if len(taken) == 150:
            done.set()

    inbox.receivers.entries.append(Receiver(messages.ContactAdded, look, take))
    with ThreadPoolExecutor(18) as pool:
        lanes = [pool.submit(Lane(shop.installation, shop.client, threads=4).run, stop) for _ in range(2)]
        burst = [added(f"wm{number}") for number in range(150)]
        assert {answer.status_code for answer in pool.map(lambda xml: deliver(shop.url, xml), burst)} == {200}
        try:
            assert done.wait(60)
        finally:
            stop.set()
        assert [lane.result() for lane in lanes] == [None, None]
    assert sorted(read) == sorted(taken) == sorted(f"wm{number}" for number in range(150))


def test_what_a_process_has_at_hand_is_anybodys_once_it_is_gone(shop: Shop) -> None:  # G5
    for number in range(2):
        deliver(shop.url, added(f"wm{number}"))
    one, other = claims.Claims(shop.installation.engine), claims.Claims(shop.installation.engine)
    with one.session() as session:
        first, second = [(claims.INBOX, row.id) for row in inbox.due(session, 10)]
        assert claims.take(session, [first]) == {first}
    with closing(other), other.session() as session:
        assert [row.id for row in inbox.due(session, 10)] == [second[1]]
        assert claims.take(session, [first, second]) == {second}
        claims.release(session, [second])
        assert claims.take(session, [second]) == {second}
        one.close()
        tries = (claims.take(session, [first]) for _ in range(100) if time.sleep(0.05) is None)
        assert {first} in tries, "PostgreSQL has noticed that it is gone"
