"""Rules that share out each morning, in the order they were made: who gets whom (C8)."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import NotFound, Unacceptable
from bot.core.i18n import say
from bot.operators.audit import record_audit
from handlers.leads.models import LeadRule
from handlers.leads.share import share_out
from tags.conditions.kept import Kept, keeps
from tags.conditions.tree import parse, stored
from tags.people import staff


def make(session: Session, name: str, where: Any, userids: Sequence[str]) -> LeadRule:
    """A rule for the customers `where` (JSON, None for everybody) means. Raises Unacceptable with pointers."""
    if where is not None:
        parse(session, where, "/where")
    if not userids:
        raise Unacceptable.at("/staff", "expected at least one member")
    staff.know(session, *userids)
    made = LeadRule(
        name=name, where=where, staff=list(dict.fromkeys(userids)), made_at=clock.now(), made_by=session.info["actor"]
    )  # fmt: skip
    session.add(made)
    session.flush()
    record_audit(session, "lead_rule.made", f"lead_rule:{made.id}", None, _facts(made))
    return made


def remove(session: Session, rule_id: int) -> None:
    """Give a rule up. Raises NotFound."""
    rule = session.get(LeadRule, rule_id, with_for_update=True)
    if rule is None:
        raise NotFound(f"there is no lead rule {rule_id}")
    record_audit(session, "lead_rule.deleted", f"lead_rule:{rule_id}", _facts(rule), None)
    session.delete(rule)
    session.flush()


def everything(session: Session) -> list[LeadRule]:
    """All rules, in order."""
    return list(session.scalars(select(LeadRule).order_by(LeadRule.id)))


def run(session: Session, rule_id: int) -> None:
    """Share out by a rule, where it was not given up meanwhile."""
    rule = session.get(LeadRule, rule_id)
    if rule is not None:
        share_out(session, rule.staff, stored(session, rule.where) if rule.where is not None else None)


@keeps
def kept(session: Session, lang: str) -> Iterable[Kept]:
    """Rules, as users of what their trees name."""
    for rule in everything(session):
        if rule.where is not None:
            called = say(lang, "公海规则「%(name)s」", name=rule.name)
            yield Kept(f"lead_rule:{rule.id}", called, "/console/leads", stored(session, rule.where))


def _facts(rule: LeadRule) -> dict[str, Any]:
    return {"name": rule.name, "where": rule.where, "staff": rule.staff}
