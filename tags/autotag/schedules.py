"""Rules whose hour has come: for each customer whom the condition means, and whom it would change anything for."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Column, or_, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce_all
from bot.core.installation import installation_of
from tags.autotag import reading
from tags.autotag.events import ScheduleCame
from tags.autotag.models import TagRule
from tags.autotag.triggers import Schedule
from tags.conditions.tree import Asked
from tags.people import finding
from tags.people import service as people
from tags.people.models import Customer

AT_ONCE = 200


def due(session: Session) -> Sequence[tuple[TagRule, datetime]]:
    """The rules whose hour has come, each with it; they come again at their next one.

    What was missed while nothing ran is made up for once.
    """
    rows = select(TagRule).where(TagRule.due_at <= clock.now()).order_by(TagRule.due_at, TagRule.id).with_for_update()
    zone, found = installation_of(session).settings.timezone, []
    for rule in session.scalars(rows):
        trigger = reading.stored(session, rule).read.trigger
        assert isinstance(trigger, Schedule)
        assert rule.due_at is not None
        found.append((rule, rule.due_at))
        rule.due_at = trigger.after(clock.now(), zone)
    return found


def tell(session: Session, rule_id: int, version: int, due_at: datetime, after_id: int) -> list[int]:
    """Announce the hour to the next ones by id, some at a time; who they were. Locks them.

    Nobody where the rule was changed or switched off meanwhile.
    """
    rule = session.get(TagRule, rule_id)
    if rule is None or rule.version != version or not rule.enabled:
        return []
    read = reading.stored(session, rule).read
    assert read.tree is not None
    ids: Column[int] = Customer.__table__.c.id  # type: ignore[assignment]
    asked = Asked(session, ids, clock.now())
    changing = or_(*[action.changes(asked) for action in read.actions])
    meant = finding.meant(session, read.tree).where(changing, Customer.id > after_id)
    found = sorted(session.scalars(meant.order_by(Customer.id).limit(AT_ONCE)))
    people.lock(session, *found)
    announce_all(
        session, [ScheduleCame(customer_id=one, rule_id=rule_id, rule=rule.name, due_at=due_at) for one in found]
    )
    return found
