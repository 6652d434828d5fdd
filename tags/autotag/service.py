"""Rules made, changed, switched, stopped and given up; each change is a version and stands in the audit (T3, G4)."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import Select, select, text
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Fault, NotFound, Unacceptable
from bot.core.installation import installation_of
from bot.operators import called
from bot.operators.audit import record_audit
from tags.autotag import current, reading, silences
from tags.autotag.models import TagRule, TagRuleVersion
from tags.autotag.reading import Draft, Live, Read
from tags.autotag.rules import Node, contradiction, find_loop
from tags.autotag.triggers import Schedule, Silent
from tags.conditions.triggers import Effect, all_effects
from tags.segments.service import judges_segments

TURN = 0x72756C65  # advisory lock ("rule"): two rules saved at once see each other


class Loops(Unacceptable):
    """The rules that are on would set off each other without end; `cycle` names them in order."""

    title = "These rules would loop"


def make(session: Session, draft: Draft) -> TagRule:
    """A new rule. Raises Unacceptable with pointers, Loops (422)."""
    _take_turn(session)
    rule = TagRule(stopped="", version=0, due_at=None, created_at=clock.now(), created_by=session.info["actor"])
    _write(session, rule, draft, reading.checked(session, draft))
    session.add(rule)
    session.flush()
    _check_loops(session)
    _note(session, rule, None, "made")
    return rule


def change(session: Session, rule_id: int, **changes: Any) -> TagRule:
    """Change some of name, when, if_, then, enabled; what changes nothing is no version. Raises NotFound, as `make`.

    One that stays off may name what is gone; it has to be whole to be switched on.
    """
    _take_turn(session)
    rule = get(session, rule_id, lock=True)
    before = shown(rule)
    draft = Draft(**{**vars(reading.draft_of(rule)), **changes})
    if draft == reading.draft_of(rule):
        return rule
    only_off = changes.keys() == {"enabled"} and not draft.enabled
    read = reading.stored(session, rule).read if only_off else reading.checked(session, draft)
    _write(session, rule, draft, read)
    session.flush()
    _check_loops(session)
    _note(session, rule, before, "changed")
    return rule


def stop(session: Session, rule: TagRule, gone: str) -> None:
    """Switch a rule off that can't do what it says any more. gone: what it needed, by which records name it."""
    before = shown(rule)
    rule.enabled, rule.stopped, rule.due_at = False, gone, None
    session.flush()
    _note(session, rule, before, "stopped")


def delete(session: Session, rule_id: int) -> None:
    """Give a rule up; what it did stays, with its name. Raises NotFound."""
    _take_turn(session)
    rule = get(session, rule_id, lock=True)
    before = shown(rule)
    rule.deleted_at, rule.due_at = clock.now(), None
    session.flush()
    _note(session, rule, before, "deleted")


def get(session: Session, rule_id: int, *, lock: bool = False) -> TagRule:
    """One that is there. Raises NotFound."""
    rule = session.get(TagRule, rule_id, with_for_update=lock or None, populate_existing=lock)
    if rule is None or rule.deleted_at is not None:
        raise NotFound(f"there is no tag rule {rule_id}")
    return rule


def listing() -> Select[TagRule]:
    """Those that are there."""
    return select(TagRule).where(TagRule.deleted_at.is_(None))


def everything(session: Session) -> list[Live]:
    """Every rule that is there, on or off, as it is kept."""
    return [reading.stored(session, rule) for rule in session.scalars(listing().order_by(TagRule.id))]


def versions(session: Session, rule_id: int) -> Sequence[TagRuleVersion]:
    """Every change of a rule, newest first."""
    its = select(TagRuleVersion).where(TagRuleVersion.rule_id == rule_id)
    return session.scalars(its.order_by(TagRuleVersion.version.desc())).all()


def shown(rule: TagRule) -> dict[str, Any]:
    """A rule as JSON, for versions and the audit."""
    return {**reading.draft_of(rule).json(), **({"stopped": rule.stopped} if rule.stopped else {})}


def check_alone(session: Session, read: Read) -> None:
    """Raises Unacceptable where a rule's actions undo each other."""
    undone = contradiction(effect for action in read.actions for effect in action.effects(session))
    if undone is not None:
        detail = f"one action undoes another: {_said(session, undone)}"
        raise Unacceptable(detail, (Fault("/then", detail, _l("两个动作互相抵消：先打上又去掉同一个标签")),))


def _write(session: Session, rule: TagRule, draft: Draft, read: Read) -> None:
    check_alone(session, read)
    rule.name, rule.when, rule.if_, rule.then = draft.name, draft.when, draft.if_, draft.then
    rule.enabled, rule.stopped = draft.enabled, "" if draft.enabled else rule.stopped
    rule.due_at = None
    if draft.enabled and isinstance(read.trigger, Schedule):
        rule.due_at = read.trigger.after(clock.now(), installation_of(session).settings.timezone)
    if draft.enabled and isinstance(read.trigger, Silent):
        silences.begin(session, read.trigger.days)


@judges_segments
def _check_loops(session: Session) -> None:
    loop = find_loop([_node(session, rule) for rule in current.on(session)])
    if loop is None:
        return
    names = [node.name for node, _ in loop]
    told = " → ".join(f"「{node.name}」 ({_said(session, effect)})" for node, effect in loop)
    detail = f"would loop: {told} → 「{names[0]}」"
    way = " → ".join(f"「{name}」" for name in [*names, names[0]])
    words = _l("这样规则会互相触发、停不下来：%(way)s。改掉或停用其中一条再保存。", way=way)
    raise Loops(detail, (Fault("/then", detail, words),), cycle=names)


def _node(session: Session, rule: Live) -> Node:
    caused = [effect for action in rule.read.actions for effect in action.effects(session)]
    return Node(rule.id, rule.name, rule.read.trigger.meets, tuple(all_effects(session, caused)))


def _said(session: Session, effect: Effect) -> str:
    """`tag.added 门店A`: an event as a person at the API reads it."""
    return " ".join([effect.event, *map(str, _names(session, effect))])


def _names(session: Session, effect: Effect) -> list[str]:
    things = [f"{field.removesuffix('_id')}:{value}" for field, value in effect.known]
    found = called.names(session, things, "en")
    return [found.get(thing, thing) for thing in things]


def _note(session: Session, rule: TagRule, before: dict[str, Any] | None, what: str) -> None:
    after = None if what == "deleted" else shown(rule)
    rule.version += 1
    made = {"at": clock.now(), "by": session.info["actor"], "before": before, "after": after}
    session.add(TagRuleVersion(rule_id=rule.id, version=rule.version, **made))
    session.flush()
    record_audit(session, f"tag_rule.{what}", reading.source(rule.id), before, after)
    current.forget(session)


def _take_turn(session: Session) -> None:
    session.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
