"""Making, changing and deleting rules; each is in the audit."""

from collections.abc import Iterator, Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import NotFound, Unacceptable
from bot.core.i18n import say
from bot.operators.audit import record_audit
from bot.operators.called import called, numbers
from handlers.livecodes.models import LiveCode
from handlers.materials import media
from handlers.materials import service as materials
from handlers.materials.service import Holder
from handlers.messaging.content import Content, check_materials, material_ids
from handlers.welcome.models import WelcomeRule
from handlers.welcome.when import WhenBody
from tags.people import staff


def make(session: Session, name: str, when: WhenBody, content: Content, enabled: bool) -> WelcomeRule:
    """A new rule. Raises Unacceptable for a live code or material that is not there."""
    rule = WelcomeRule(created_at=clock.now(), created_by=session.info["actor"])
    _write(session, rule, name, when, content, enabled)
    session.add(rule)
    session.flush()
    record_audit(session, "welcome_rule.made", str(rule.id), None, shown(rule))
    media.renew(session)
    return rule


def change(session: Session, rule_id: int, name: str, when: WhenBody, content: Content, enabled: bool) -> WelcomeRule:
    """Replace a rule. Raises NotFound, and as `make`."""
    rule = get(session, rule_id)
    before = shown(rule)
    _write(session, rule, name, when, content, enabled)
    session.flush()
    record_audit(session, "welcome_rule.changed", str(rule.id), before, shown(rule))
    media.renew(session)
    return rule


def delete(session: Session, rule_id: int) -> None:
    """The rule goes; the welcomes it gave keep its name. Raises NotFound."""
    rule = get(session, rule_id)
    session.delete(rule)
    record_audit(session, "welcome_rule.deleted", str(rule_id), shown(rule), None)


def get(session: Session, rule_id: int) -> WelcomeRule:
    """Raises NotFound."""
    rule = session.get(WelcomeRule, rule_id)
    if rule is None:
        raise NotFound(f"no welcome rule has the id {rule_id}")
    return rule


def shown(rule: WelcomeRule) -> dict[str, Any]:
    """A rule as JSON, for the audit."""
    return {name: getattr(rule, name) for name in ("name", "when", "content", "enabled")}


@media.uses
def carried(session: Session) -> set[int]:
    """Materials in the rules that are switched on."""
    kept = session.scalars(select(WelcomeRule.content).where(WelcomeRule.enabled))
    return material_ids(Content.model_validate(one) for one in kept)


@materials.holds
def held(session: Session) -> Iterator[tuple[int, Holder]]:
    """Materials in rules, also in those that are switched off."""
    for rule in session.scalars(select(WelcomeRule)):
        for material_id in material_ids([Content.model_validate(rule.content)]):
            yield material_id, Holder("welcome_rule", rule.name)


@called("welcome_rule")
def names(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(WelcomeRule.id, WelcomeRule.name).where(WelcomeRule.id.in_(numbers(ids))))
    return {str(its_id): say(lang, "欢迎语「%(name)s」", name=name) for its_id, name in found}


def _write(session: Session, rule: WelcomeRule, name: str, when: WhenBody, content: Content, enabled: bool) -> None:
    check_materials(session, content)
    if when.live_code_id is not None and session.get(LiveCode, int(when.live_code_id)) is None:
        detail = f"{when.live_code_id} is no live code"
        raise Unacceptable.at("/when/live_code_id", detail, _l("这个活码已经没有了"))
    staff.know(session, *when.staff or ())
    rule.name, rule.enabled = name, enabled
    rule.when = when.model_dump(mode="json", by_alias=True, exclude_none=True)
    rule.content = content.model_dump(mode="json")
