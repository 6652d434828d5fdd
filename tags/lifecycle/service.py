"""Keeping stages: of who ordered at once, of who fell silent when that is due, of everybody at night (T6)."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.sets import document, rows, run
from tags.lifecycle.models import StageRow
from tags.lifecycle.preferences import lifecycle
from tags.lifecycle.rules import Buyer, stage
from tags.people import many
from tags.people.cards import facet
from tags.tagging import computed

GROUP = "生命周期"
TAGS = {
    "first_buyer": "首购", "repeat": "复购", "loyal": "忠诚", "at_risk": "流失风险", "lapsed": "已流失",
    "won_back": "已召回",
}  # fmt: skip
AT_ONCE = 200

FACTS = """
SELECT a.id, coalesce(sum(b.orders), 0)::bigint, max(b.last_at), (
    SELECT o.paid_at FROM orders o JOIN customers m ON m.id = o.customer_id
    WHERE (m.id = a.id OR m.survivor_id = a.id) AND o.refunded_at IS NULL ORDER BY o.paid_at DESC OFFSET 1 LIMIT 1
), EXISTS (SELECT 1 FROM contacts k WHERE k.customer_id = a.id)
FROM unnest(%(ids)s::bigint[]) AS a(id) JOIN customers c ON c.id = a.id OR c.survivor_id = a.id
LEFT JOIN buyers b ON b.customer_id = c.id GROUP BY a.id
"""
STRANGER = "SELECT 1 FROM lifecycles WHERE customer_id = %(id)s AND stage = 'stranger'"
WRITE = f"""
INSERT INTO lifecycles AS t (customer_id, stage, tagged, since, due_at)
SELECT c, s, '', %(now)s, d FROM {rows("stages", "c bigint, s text, d timestamptz")}
WHERE s <> '' OR EXISTS (SELECT 1 FROM lifecycles k WHERE k.customer_id = c) ORDER BY c
ON CONFLICT (customer_id) DO UPDATE SET stage = excluded.stage, due_at = excluded.due_at,
    since = CASE WHEN t.stage = excluded.stage THEN t.since ELSE excluded.since END
RETURNING customer_id, stage, stage <> tagged
"""  # noqa: S608  # names are ours
TAGGED = "UPDATE lifecycles SET tagged = stage WHERE customer_id = ANY(%(ids)s)"


def keep(session: Session, customer_ids: Sequence[int]) -> None:
    """Find the stages of these survivors anew and give them the tags. Safe to repeat. Locks them."""
    now, bounds = clock.now(), lifecycle.of(session).bounds
    many.lock_ids(session, customer_ids)
    found = []
    for customer_id, orders, last_at, before_at, met in run(session, FACTS, ids=list(customer_ids)):
        buyer = Buyer(orders, last_at, before_at, met) if orders else None
        name, due_at = stage(buyer, bounds, now) if buyer else ("", None)
        found.append({"c": customer_id, "s": name, "d": due_at.isoformat() if due_at else None})
    moved = {
        customer_id: name for customer_id, name, moved in run(session, WRITE, stages=document(found), now=now) if moved
    }
    if not moved:
        return
    named = {customer_id: TAGS.get(name, "") for customer_id, name in moved.items()}
    computed.put(session, GROUP, list(TAGS.values()), named, source="lifecycle")
    run(session, TAGGED, ids=list(moved))


def is_stranger(session: Session, customer_id: int) -> bool:
    """Whether she has bought without being anybody's contact so far."""
    return bool(run(session, STRANGER, id=customer_id))


def anybody_due(session: Session) -> bool:
    """Whether somebody's silence has become long enough."""
    return session.scalar(select(StageRow.customer_id).where(StageRow.due_at <= clock.now()).limit(1)) is not None


def fall_silent(session: Session) -> int:
    """Move on those whose silence has become long enough, some at a time; how many."""
    due = select(StageRow.customer_id).where(StageRow.due_at <= clock.now()).order_by(StageRow.due_at).limit(AT_ONCE)
    ids = sorted(session.scalars(due))
    if ids:
        keep(session, ids)
    return len(ids)


def buyers_after(session: Session, customer_id: int) -> list[int]:
    """The next survivors who have a stage, by id, some at a time."""
    query = select(StageRow.customer_id).where(StageRow.customer_id > customer_id).order_by(StageRow.customer_id)
    return list(session.scalars(query.limit(AT_ONCE)))


def forget(session: Session, customer_id: int) -> None:
    """Drop the stage of one who was merged: her orders count for the survivor. Her rows of tags stay as they were."""
    session.execute(delete(StageRow).where(StageRow.customer_id == customer_id))


@facet("lifecycle")
def stages(session: Session, customer_ids: Sequence[int]) -> dict[int, str]:
    """The stages of the survivors who bought."""
    hers = StageRow.customer_id.in_(customer_ids), StageRow.stage != ""
    return dict(session.execute(select(StageRow.customer_id, StageRow.stage).where(*hers)).all())
