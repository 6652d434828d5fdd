"""Invariants of RFM."""

from collections.abc import Iterator

from sqlalchemy.orm import Session

from bot.core.checks import check
from bot.core.sets import run
from tags.rfm.service import GROUP

SCORED = """
WITH buying AS (
    SELECT DISTINCT coalesce(c.survivor_id, c.id) AS id FROM buyers b JOIN customers c ON c.id = b.customer_id
    WHERE b.orders > 0
) SELECT coalesce(b.id, k.customer_id), b.id IS NOT NULL FROM buying b
FULL JOIN (SELECT customer_id FROM rfm_scores WHERE named <> '') AS k ON k.customer_id = b.id
WHERE (b.id IS NULL OR k.customer_id IS NULL) AND EXISTS (SELECT 1 FROM rfm_runs)
"""
TAGGED = """
SELECT coalesce(k.customer_id, a.customer_id), coalesce(k.tagged, ''), coalesce(a.name, '')
FROM (SELECT customer_id, tagged FROM rfm_scores WHERE tagged <> '') AS k
FULL JOIN (
    SELECT a.customer_id, t.name FROM tag_assignments a JOIN tags t ON t.id = a.tag_id
    JOIN tag_groups g ON g.id = t.group_id AND g.kind = 'computed' AND g.name = %(group)s
    JOIN customers c ON c.id = a.customer_id AND c.survivor_id IS NULL
) AS a ON a.customer_id = k.customer_id
WHERE a.name IS DISTINCT FROM k.tagged
"""


@check("rfm: whoever has an order that counts is scored, nobody else")
def scored(session: Session) -> Iterator[str]:
    for customer_id, buys in run(session, SCORED):
        yield f"customer {customer_id} {'has orders and no scores' if buys else 'has scores and no orders'}"


@check("rfm: the computed tag is the one that was written")
def tagged(session: Session) -> Iterator[str]:
    for customer_id, kept, tag in run(session, TAGGED, group=GROUP):
        yield f"customer {customer_id} was tagged {kept or 'nothing'}, and has {tag or 'nothing'}"
