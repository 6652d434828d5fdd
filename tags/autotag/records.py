"""What rules did, out of their hits, and a rule as a sentence."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session, aliased

from bot.core import clock
from bot.core.i18n import say
from tags.autotag import reading
from tags.autotag.models import TagRule, TagRuleHit
from tags.autotag.reading import Read
from tags.people.models import Customer

WEEK = timedelta(days=7)


@dataclass(frozen=True)
class Last:
    """The last time a rule was done."""

    at: datetime
    customer_id: int
    name: str


@dataclass(frozen=True)
class Hits:
    """week: customers' events for which a rule was done in the last 7 × 24 h; failed: for which it could not be."""

    week: int = 0
    failed: int = 0
    last: Last | None = None


def of_rules(session: Session, rule_ids: Sequence[int]) -> dict[int, Hits]:
    """The hits of each of these rules."""
    hit, done = TagRuleHit, TagRuleHit.error == ""
    counted = select(hit.rule_id, func.count().filter(done), func.count().filter(~done))
    recent = counted.where(hit.rule_id.in_(rule_ids), hit.at > clock.now() - WEEK).group_by(hit.rule_id)
    weeks = {rule_id: (week, failed) for rule_id, week, failed in session.execute(recent)}
    return {one: Hits(*weeks.get(one, (0, 0)), last=_last(session, one)) for one in rule_ids}


def by_version(session: Session, rule_id: int) -> dict[int, int]:
    """How often each version of a rule was done."""
    counted = select(TagRuleHit.version, func.count()).where(TagRuleHit.rule_id == rule_id, TagRuleHit.error == "")
    return dict(session.execute(counted.group_by(TagRuleHit.version)).all())


def failed(session: Session, most: int) -> tuple[int, list[tuple[TagRuleHit, str]]]:
    """How many times a rule could not be done in the last 7 × 24 h, and the newest of them with the rule's name."""
    recent = TagRuleHit.error != "", TagRuleHit.at > clock.now() - WEEK
    count = session.scalar(select(func.count()).select_from(TagRuleHit).where(*recent)) or 0
    newest = select(TagRuleHit, TagRule.name).join(TagRule).where(*recent).order_by(TagRuleHit.id.desc())
    return count, [(hit, name) for hit, name in session.execute(newest.limit(most))]


def words(session: Session, rule: TagRule, lang: str) -> tuple[str, str, str]:
    """A kept rule as three clauses: when, if, then."""
    return said(session, reading.stored(session, rule).read, lang)


def said(session: Session, read: Read, lang: str) -> tuple[str, str, str]:
    """A rule as three clauses: 当…，如果…，就…; the second is empty where there is no condition."""
    then = say(lang, "，").join(action.words(session, lang) for action in read.actions)
    if_ = say(lang, "如果%(tree)s，", tree=read.tree.words(session, lang)) if read.tree is not None else ""
    return read.trigger.clause(session, lang), if_, say(lang, "就%(actions)s。", actions=then)


def _last(session: Session, rule_id: int) -> Last | None:
    then, now = aliased(Customer), aliased(Customer)
    newest = (
        select(TagRuleHit.at, now.id, now.name)
        .join(then, then.id == TagRuleHit.customer_id)
        .join(now, now.id == func.coalesce(then.survivor_id, then.id))
        .where(TagRuleHit.rule_id == rule_id, TagRuleHit.error == "")
        .order_by(TagRuleHit.at.desc(), TagRuleHit.id.desc())
    )
    found = session.execute(newest.limit(1)).one_or_none()
    return Last(*found) if found is not None else None
