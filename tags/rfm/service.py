"""Scoring everybody at night, and who ordered at once (T5).

`recompute` reads the sums of all buyers as columns, finds the edges, and writes the customers who moved. `rescore` puts
one customer between the edges of the last night. Both leave her class to `retag`, which gives her its computed tag.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.sets import run
from tags.people import many
from tags.people.cards import facet
from tags.rfm import rules
from tags.rfm.models import Run, Score
from tags.rfm.preferences import Thresholds, rfm, rfm_high_from
from tags.tagging import computed

GROUP = "RFM 分类"
NAMES = list(rules.CLASSES.values())
RETAGGED_AT_ONCE = 200
EDGES_LOCK = 0x52464D  # held while edges are found; shared by who leaves a row as it is, which that would not notice
BEGINNING, MICROSECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(microseconds=1)

Column = NDArray[np.int64]
Edges = tuple[rules.Edges, rules.Edges, rules.Edges]  # of recency (µs since 1970), frequency (orders), monetary (fen)

SUMS = """
    SELECT coalesce(c.survivor_id, c.id) AS id, (extract(epoch FROM max(b.last_at)) * 1000000)::bigint AS r,
        sum(b.orders)::bigint AS f, sum(b.net_fen)::bigint AS m
    FROM customers c JOIN buyers b ON b.customer_id = c.id WHERE b.orders > 0 {whose} GROUP BY 1
"""
COLUMNS = ("id", "r", "f", "m", "cell", "n", "at")
# Each column comes as one value: a row a customer would cost more than all the rest.
ALL = f"""
WITH sums AS ({SUMS.format(whose="")}), known AS (
    SELECT coalesce(s.id, k.customer_id) AS id, coalesce(s.r, 0) AS r, coalesce(s.f, 0) AS f, coalesce(s.m, 0) AS m,
        coalesce(k.r * 100 + k.f * 10 + k.m, 0) AS cell,
        coalesce(array_position(%(names)s::text[], k.named), 0) AS n,
        coalesce((extract(epoch FROM k.at) * 1000000)::bigint, 0) AS at
    FROM sums s FULL JOIN rfm_scores k ON k.customer_id = s.id
) SELECT {", ".join(f"string_agg(int8send({name}), ''::bytea ORDER BY id)" for name in COLUMNS)} FROM known
"""  # noqa: S608  # names are ours
MOVED = """
WITH moved AS MATERIALIZED (
    SELECT c, r, f, m, coalesce((%(names)s::text[])[n], '') AS named, was
    FROM unnest(%(id)s::bigint[], %(r)s::int[], %(f)s::int[], %(m)s::int[], %(n)s::int[], %(at)s::bigint[])
        AS u(c, r, f, m, n, was)
), changed AS (
    UPDATE rfm_scores k SET r = u.r, f = u.f, m = u.m, named = u.named, at = %(now)s,
        since = CASE WHEN k.named = u.named THEN k.since ELSE %(now)s END FROM moved u
    WHERE k.customer_id = u.c AND (extract(epoch FROM k.at) * 1000000)::bigint = u.was RETURNING 1
), added AS (
    INSERT INTO rfm_scores (customer_id, r, f, m, named, tagged, at, since)
    SELECT c, r, f, m, named, '', %(now)s, %(now)s FROM moved WHERE was = 0 ON CONFLICT DO NOTHING RETURNING 1
) SELECT (SELECT count(*) FROM changed) + (SELECT count(*) FROM added)
"""
SOME = f"""
WITH last AS (SELECT r, f, m FROM rfm_runs ORDER BY id DESC LIMIT 1),
sums AS ({SUMS.format(whose="AND (c.id = ANY(%(ids)s) OR c.survivor_id = ANY(%(ids)s))")}), scored AS (
    SELECT s.id, 1 + (SELECT count(*) FROM unnest(e.r) x WHERE s.r > x) AS r,
        1 + (SELECT count(*) FROM unnest(e.f) x WHERE s.f > x) AS f,
        1 + (SELECT count(*) FROM unnest(e.m) x WHERE s.m > x) AS m
    FROM last e, sums s
), named AS (
    SELECT id, r, f, m, (%(names)s::text[])[1 + 4 * (r < %(high_r)s)::int + 2 * (f < %(high_f)s)::int
        + (m < %(high_m)s)::int] AS named FROM scored
    UNION ALL SELECT customer_id, 0, 0, 0, '' FROM last, rfm_scores
    WHERE customer_id = ANY(%(ids)s) AND customer_id NOT IN (SELECT id FROM scored)
), written AS (
    INSERT INTO rfm_scores AS t (customer_id, r, f, m, named, tagged, at, since)
    SELECT id, r, f, m, named, '', %(now)s, %(now)s FROM named ORDER BY id ON CONFLICT (customer_id) DO UPDATE
    SET r = excluded.r, f = excluded.f, m = excluded.m, named = excluded.named, at = excluded.at,
        since = CASE WHEN t.named = excluded.named THEN t.since ELSE excluded.since END
    WHERE (t.r, t.f, t.m, t.named) IS DISTINCT FROM (excluded.r, excluded.f, excluded.m, excluded.named)
        OR NOT pg_try_advisory_xact_lock_shared(%(lock)s)
    RETURNING customer_id, named <> tagged AS moved
) SELECT array(SELECT customer_id FROM written WHERE moved) FROM last
"""  # noqa: S608


def recompute(session: Session) -> int:
    """Score every buyer anew and keep the edges; how many customers moved.

    Whoever was scored anew while this ran keeps what that said: her row is not the one that was read.
    """
    run(session, "SELECT pg_advisory_xact_lock(%(lock)s)", lock=EDGES_LOCK)
    columns = run(session, ALL, names=NAMES)[0]
    ids, r, f, m, cell, name, at = (np.frombuffer(one or b"", ">i8").astype(np.int64) for one in columns)
    buyers = f > 0
    edges = _edges(session, r[buyers], f[buyers], m[buyers])
    session.add(Run(at=clock.now(), buyers=int(buyers.sum()), r=edges[0], f=edges[1], m=edges[2]))
    scored = [np.where(buyers, rules.scores(one, between), 0) for one, between in zip((r, f, m), edges, strict=True)]
    names = np.where(buyers, _names(session)[tuple(scored)], 0)
    moved = (scored[0] * 100 + scored[1] * 10 + scored[2] != cell) | (names != name)
    found = dict(zip(("id", "r", "f", "m", "n", "at"), (ids, *scored, names, at), strict=True))
    values = {key: column[moved].tolist() for key, column in found.items()}
    return int(run(session, MOVED, **values, names=NAMES, now=clock.now())[0][0])


def rescore(session: Session, customer_ids: Collection[int]) -> bool:
    """Score survivors after their orders changed; False while there are no edges yet. Their locks are held.

    Where edges are being found for the first time they are waited for: an order may have come too late for those.
    """
    high_r, high_f, high_m = _high_from(session)
    values = {"high_r": high_r, "high_f": high_f, "high_m": high_m, "names": NAMES, "now": clock.now(),
              "lock": EDGES_LOCK}  # fmt: skip
    found = run(session, SOME, ids=list(customer_ids), **values)
    if not found:
        run(session, "SELECT pg_advisory_xact_lock_shared(%(lock)s)", lock=EDGES_LOCK)
        found = run(session, SOME, ids=list(customer_ids), **values)
    if found and found[0][0]:
        retag(session, *found[0][0])
    return bool(found)


WAITING = "SELECT customer_id FROM rfm_scores WHERE tagged <> named ORDER BY customer_id LIMIT %(most)s"
TO_TAG = """
SELECT customer_id, named, format('R%%s F%%s M%%s', r, f, m) FROM rfm_scores
WHERE customer_id = ANY(%(ids)s) AND tagged <> named ORDER BY customer_id FOR UPDATE
"""
TAGGED = "UPDATE rfm_scores SET tagged = named WHERE customer_id = ANY(%(ids)s)"


def retag(session: Session, *customer_ids: int) -> int:
    """Give these customers, or some of all who wait for it, the tags their classes have moved to; how many."""
    ids = customer_ids or [one for (one,) in run(session, WAITING, most=RETAGGED_AT_ONCE)]
    if not ids:
        return 0
    many.lock_ids(session, ids)
    waiting = run(session, TO_TAG, ids=list(ids))  # who was merged since has none: her survivor was scored then
    named, whys = {one: name for one, name, _ in waiting}, {one: why for one, _, why in waiting}
    computed.put(session, GROUP, NAMES, named, source="rfm", whys=whys)
    run(session, TAGGED, ids=list(named))
    return len(ids)


def forget(session: Session, customer_id: int) -> None:
    """Drop the scores of one who was merged: her orders count for the survivor. Her rows of tags stay as they were."""
    session.execute(delete(Score).where(Score.customer_id == customer_id))


@facet("rfm")
def scores(session: Session, customer_ids: Sequence[int]) -> dict[int, Any]:
    """The scores and classes of survivors who have any."""
    found = session.scalars(select(Score).where(Score.customer_id.in_(customer_ids), Score.named != ""))
    return {one.customer_id: {"r": one.r, "f": one.f, "m": one.m, "class": one.named} for one in found}


def _edges(session: Session, r: Column, f: Column, m: Column) -> Edges:
    wanted = rfm.of(session)
    if not isinstance(wanted, Thresholds):
        return rules.edges(r), rules.edges(f), rules.edges(m)
    now = (clock.now() - BEGINNING) // MICROSECOND
    days = [now - days * timedelta(days=1) // MICROSECOND for days in reversed(wanted.days)]
    return tuple(tuple(start - 1 for start in four) for four in (days, wanted.orders, wanted.net_fen))  # type: ignore[return-value]


def _names(session: Session) -> NDArray[np.int64]:
    """The number of each cell's class in `NAMES`, from 1; by r, f, m."""
    high, cells = _high_from(session), np.zeros((6, 6, 6), np.int64)
    for cell in product(range(1, rules.SCORES + 1), repeat=3):
        cells[cell] = NAMES.index(rules.named(cell, high)) + 1
    return cells


def _high_from(session: Session) -> tuple[int, int, int]:
    high = rfm_high_from.of(session)
    return high.r, high.f, high.m
