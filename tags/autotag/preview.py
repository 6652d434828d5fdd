"""A dry run: whom a rule would have hit in the last days (T3).

When: every event of the days that are over, in one statement. If: as it is now, since what was so then nobody keeps.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Column, Select, func, or_, select
from sqlalchemy.orm import Session

from bot.core import clock
from tags.autotag.reading import Read
from tags.conditions.tree import Asked
from tags.conditions.triggers import Past
from tags.people.models import Customer

SAMPLE = 20


@dataclass(frozen=True)
class Preview:
    """count: of the customers; changed: for how many of them it would change anything now; sample: latest first."""

    count: int
    changed: int
    sample: Sequence[Customer]


def look(session: Session, read: Read, days: int) -> Preview:
    """Whom the rule would have hit in the last days × 24 h; nothing is done."""
    now = clock.now()
    past = read.trigger.past(Past(session, now - timedelta(days=days), now)).subquery("past")
    who: Column[int] = Customer.__table__.c.id  # type: ignore[assignment]
    asked = Asked(session, who, now)
    then = select(Customer.survivor_id, Customer.id).subquery("then_she_was")
    survivor = func.coalesce(then.c.survivor_id, then.c.id)
    hit = (
        select(survivor.label("id"), func.max(past.c.at).label("at"))
        .join_from(past, then, then.c.id == past.c.customer_id)
        .group_by(survivor)
        .cte("hit")
    )
    meant = select(who, hit.c.at).join_from(hit, Customer.__table__, who == hit.c.id)
    if read.tree is not None:
        meant = meant.where(read.tree.holds(asked))
    changing = or_(*[action.changes(asked) for action in read.actions])
    counted = meant.with_only_columns(func.count(), func.count().filter(changing), maintain_column_froms=True)
    count, changed = session.execute(counted).one()
    return Preview(count, changed, _latest(session, meant.order_by(hit.c.at.desc(), who.desc()).limit(SAMPLE)))


def _latest(session: Session, ids: Select[int, datetime]) -> list[Customer]:
    found = [customer_id for customer_id, _ in session.execute(ids)]
    by_id = {one.id: one for one in session.scalars(select(Customer).where(Customer.id.in_(found)))}
    return [by_id[one] for one in found]
