"""kill -9 of a nightly scoring, as it writes and as it tags: the same in the end as if nobody had died (T5, G5, G6)."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from deeds.driver import processes, until
from racing import waited_for
from sqlalchemy import text

from bot.core import checks, clock
from bot.core import jobs as work
from bot.core.installation import Installation
from bot.core.jobs import failures
from tags.rfm import jobs, service

BUYERS = 1_000
CUSTOMERS = """
INSERT INTO customers (name, name_key, avatar, gender, city, language, phone_tail, created_at, seen_at)
SELECT '', '', '', '', '', '', '', :now, :now FROM generate_series(1, :number) RETURNING id
"""
BOUGHT = """
INSERT INTO buyers (customer_id, orders, net_fen, first_at, last_at)
SELECT id, 1 + id % 7, 100 * (id * 7919 % 997), at, at
FROM unnest(CAST(:ids AS bigint[])) AS u(id), LATERAL (SELECT :now - make_interval(days => (id * 31 % 365)::int) AS at)
"""
IN_THE_WAY = """
INSERT INTO rfm_scores (customer_id, r, f, m, named, tagged, at, since) VALUES (:id, 0, 0, 0, '', '', :now, :now)
"""
SCORES = "SELECT customer_id, r, f, m, named FROM rfm_scores ORDER BY customer_id"
TOLD = "SELECT count(*), count(DISTINCT customer_id) FROM events WHERE name = 'tag.added'"


@contextmanager
def worker(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    with processes(installation, "work", 1, "tags.tagging", "tags.rfm") as [process]:
        yield process


def test_a_scoring_that_dies_as_it_writes_and_as_it_tags_ends_as_one_that_did_not(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:  # T5 G5 G6
    monkeypatch.setattr(failures, "DEAD_AFTER_SECONDS", 1.0)
    with installation.transaction("test") as session:
        ids = list(session.scalars(text(CUSTOMERS), {"now": clock.now(), "number": BUYERS}))
        session.execute(text(BOUGHT), {"ids": ids, "now": clock.now()})
        jobs.begin(session)
    with installation.transaction("test") as session:
        service.recompute(session)  # nobody dies
        expected = session.execute(text(SCORES)).all()
        session.rollback()

    def look(sql: str) -> tuple[int, ...]:
        with installation.transaction("test") as session:
            work.sweep(session)
            return tuple(session.execute(text(sql)).one())

    with installation.transaction("test") as session, worker(installation) as first:
        session.execute(text(IN_THE_WAY), {"id": ids[-1], "now": clock.now()})
        assert waited_for(session), "nobody scores"
        first.kill()
        first.wait()
        session.rollback()
    with worker(installation) as second:
        until(lambda: look(TOLD)[0] > 0)
        second.kill()
        second.wait()
    assert look(TOLD)[0] < BUYERS, "nobody was tagging any more"
    with worker(installation):
        until(lambda: look("SELECT count(*) FROM procrastinate_jobs") == (0,))
    assert look(TOLD) == (BUYERS, BUYERS)
    with installation.transaction("test") as session:
        assert len(expected) == BUYERS
        assert session.execute(text(SCORES)).all() == expected
        tagged = next(one for one in checks.checks if one.name.startswith("rfm: the computed tag"))
        assert list(tagged.run(session)) == []
