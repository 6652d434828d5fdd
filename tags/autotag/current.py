"""The rules that are on, in memory of each process, by the event they wait for.

A change is seen by its own process at once and by every other within `FRESH_SECONDS`.
"""

import time
from collections.abc import Mapping, Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.core.installation import after_commit, installation_of
from tags.autotag import reading
from tags.autotag.models import TagRule, TagRuleVersion
from tags.autotag.reading import Live

FRESH_SECONDS = 2.0  # as preferences are: the contract promises 5 s in every process
CACHE = "tag rules"

ByEvent = Mapping[str, Sequence[Live]]


def waiting_for(session: Session, event: str) -> Sequence[Live]:
    """The rules that are on and wait for an event of this name, in the order of their ids."""
    return _current(session).get(event, ())


def forget(session: Session) -> None:
    """Rules were changed: this process reads them anew, now and once the change stands."""
    caches = installation_of(session).caches
    caches.pop(CACHE, None)
    after_commit(session, lambda: caches.pop(CACHE, None), CACHE)


def on(session: Session) -> list[Live]:
    """All rules that are on, read from the database."""
    kept = select(TagRule).where(TagRule.enabled, TagRule.deleted_at.is_(None)).order_by(TagRule.id)
    return [reading.stored(session, rule) for rule in session.scalars(kept)]


def _current(session: Session) -> ByEvent:
    caches = installation_of(session).caches
    read_at: float
    seen: tuple[int, int | None] | None
    rules: ByEvent
    read_at, seen, rules = caches.get(CACHE, (0.0, None, {}))
    if read_at and time.monotonic() - read_at < FRESH_SECONDS:
        return rules
    # the number too: of two changes at once the one with the smaller id may be the later to stand
    standing = session.execute(select(func.count(), func.max(TagRuleVersion.id))).one()
    if standing != seen:
        by_event: dict[str, list[Live]] = {}
        for one in on(session):
            by_event.setdefault(one.read.trigger.event, []).append(one)
        rules = by_event
    caches[CACHE] = (time.monotonic(), standing, rules)
    return rules
