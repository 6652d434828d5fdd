"""How the timeline tells of rules' clock, and what records call a rule (C4, C9)."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.operators.called import called, numbers
from tags.autotag import service
from tags.autotag.models import TagRule
from tags.conditions.kept import Kept, keeps
from tags.conditions.tree import Group, leaves, stored
from tags.timeline.service import Told, tells

Data = dict[str, Any]


@tells("customer.silent")
def silent(data: Data, lang: str) -> Told:
    return Told("history", "", say(lang, "沉默满 %(days)s 天", days=data["days"]))


@tells("schedule")
def scheduled(data: Data, lang: str) -> Told:
    return Told("clock", "", say(lang, "规则「%(name)s」的时间到了", name=data["rule"]))


@called("rule")
def names(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(TagRule.id, TagRule.name).where(TagRule.id.in_(numbers(ids))))
    return {str(its_id): say(lang, "规则「%(name)s」", name=name) for its_id, name in found}


@keeps
def kept(session: Session, lang: str) -> Iterable[Kept]:
    """Rules, as users of what they name anywhere."""
    known = {kind.key for kind in leaves}
    for rule in service.everything(session):
        called_so, address = say(lang, "规则「%(name)s」", name=rule.name), f"/console/tags/rules/{rule.id}"
        plain = [rule.read.trigger.names(), *(action.names() for action in rule.read.actions)]
        named = [stored(session, {thing: its_id}) for each in plain for thing, its_id in each if thing in known]
        trees = [*([rule.read.tree] if rule.read.tree is not None else ()), *named]
        if trees:
            yield Kept(rule.source, called_so, address, Group("any", tuple(trees)))
