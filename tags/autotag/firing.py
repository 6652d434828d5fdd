"""A rule done for one customer because of one event, in that event's transaction (T3, G5).

All actions of a rule stand or none: where one can't be done, the rule's are undone, the hit keeps the reason, and the
event itself goes on. Rules that set off each other are done within one another; where that goes deeper than any set
that was seen whole when it was saved, all of them are undone, and the first one's hit says so.
"""

from sqlalchemy import update
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Conflict, NotFound, Problem
from bot.core.events import Event
from bot.core.installation import savepoint
from bot.core.sets import run
from tags.autotag import current, reading
from tags.autotag.models import TagRule, TagRuleHit
from tags.autotag.reading import Live
from tags.autotag.rules import MOST_DEPTH
from tags.conditions.actions import Fired
from tags.people import finding
from tags.people import service as people

UNDER_WAY = "tag rules under way"  # names of the rules within which this one is done, outermost first

HIT = """
INSERT INTO tag_rule_hits (rule_id, version, event_id, event, customer_id, at, error)
VALUES (%(rule_id)s, %(version)s, %(event_id)s, %(event)s, %(customer_id)s, %(at)s, '')
ON CONFLICT (rule_id, event_id) DO NOTHING RETURNING id
"""


class TooDeep(Conflict):
    """Rules set off each other without an end in sight; nothing of it stands."""

    def __init__(self, names: list[str]) -> None:
        super().__init__(f"more than {MOST_DEPTH} rules set off each other: {' → '.join(names)}")


def concerns(session: Session, event: Event) -> bool:
    """Whether a rule waits for events of this name."""
    return bool(event.customer_id is not None and current.waiting_for(session, event.name))


def happened(session: Session, event: Event) -> None:
    """Do the rules that wait for this event of a customer's. Locks her where there are any. Safe to repeat."""
    for rule in current.waiting_for(session, event.name):
        if rule.waits_for(session, event):
            assert event.customer_id is not None
            do(session, rule, event.customer_id, event.name, session.info["cause"])


def do(session: Session, rule: Live, customer_id: int, event: str, event_id: int) -> bool:
    """Do a rule for her where its condition holds, once for each event; whether it was done."""
    hers = people.lock(session, customer_id)[0].id  # before the savepoint: undoing that would give a lock back
    if rule.read.tree is not None and not finding.is_meant(session, rule.read.tree, hers):
        return False
    row = {"rule_id": rule.id, "version": rule.version, "event_id": event_id, "event": event, "customer_id": hers}
    hit = run(session, HIT, **row, at=clock.now())
    if not hit:
        return False
    return not _try(session, rule, Fired(hers, rule.source, rule.name, hit[0][0]))


def retry(session: Session, hit_id: int) -> str:
    """Do a rule once more, as it is now, whose hit could not be done; why it still can't, or empty.

    Raises NotFound where no such hit failed, or it was done meanwhile, Conflict where the rule is off or given up.
    """
    hit = session.get(TagRuleHit, hit_id)
    hers = people.lock(session, hit.customer_id)[0].id if hit is not None else 0
    hit = session.get(TagRuleHit, hit_id, with_for_update=True, populate_existing=True)
    if hit is None or not hit.error:
        raise NotFound(f"no failed hit of a rule has the id {hit_id}")
    kept = session.get_one(TagRule, hit.rule_id)
    if kept.deleted_at is not None or not kept.enabled:
        raise Conflict(f"the rule {kept.name} is off, or was given up")
    rule = reading.stored(session, kept)
    return _try(session, rule, Fired(hers, rule.source, rule.name, hit_id), hit.error)


def _try(session: Session, rule: Live, fired: Fired, before: str = "") -> str:
    """Do all of a rule's actions or none, and keep why not; before: why it could not be done so far."""
    under_way: list[str] = session.info.setdefault(UNDER_WAY, [])
    error = ""
    try:
        _act(session, rule, fired, under_way)
    except Problem as problem:
        if under_way and isinstance(problem, TooDeep):
            raise
        error = problem.detail
    if error != before:
        told = update(TagRuleHit).where(TagRuleHit.id == fired.hit_id).values(error=error, version=rule.version)
        session.execute(told, execution_options={"synchronize_session": False})
    return error


def _act(session: Session, rule: Live, fired: Fired, under_way: list[str]) -> None:
    under_way.append(rule.name)
    try:
        if len(under_way) > MOST_DEPTH:
            raise TooDeep(under_way)
        with savepoint(session):
            for action in rule.read.actions:
                action.do(session, fired)
    finally:
        under_way.pop()
