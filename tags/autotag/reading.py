"""A rule read from its JSON: checked when it is saved, as it is kept when it is done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from bot.core.errors import Fault, Unacceptable
from bot.core.events import Event
from tags.autotag.models import TagRule
from tags.autotag.triggers import Schedule
from tags.conditions import actions, tree, triggers
from tags.conditions.actions import Action
from tags.conditions.tree import Tree
from tags.conditions.triggers import Trigger


@dataclass(frozen=True)
class Draft:
    """A rule as the API takes it, not yet read."""

    name: str
    when: Any
    if_: Any
    then: Any
    enabled: bool = True

    def json(self) -> dict[str, Any]:
        """Under the contract's names."""
        return {"name": self.name, "when": self.when, "if": self.if_, "then": self.then, "enabled": self.enabled}


@dataclass(frozen=True)
class Read:
    """When, if and then, read."""

    trigger: Trigger
    tree: Tree | None
    actions: Sequence[Action]


@dataclass(frozen=True)
class Live:
    """A rule that is on. version: the one that was read."""

    id: int
    name: str
    version: int
    read: Read

    @property
    def source(self) -> str:
        """By which records name it."""
        return source(self.id)

    def waits_for(self, session: Session, event: Event) -> bool:
        """Whether the event is this rule's; one that is announced for one rule concerns that one alone."""
        return getattr(event, "rule_id", self.id) == self.id and self.read.trigger.takes(session, event)


def source(rule_id: int) -> str:
    """By which records name a rule: `rule:3`."""
    return f"rule:{rule_id}"


def draft_of(rule: TagRule) -> Draft:
    """A kept rule as it was taken."""
    return Draft(rule.name, rule.when, rule.if_, rule.then, rule.enabled)


def stored(session: Session, rule: TagRule) -> Live:
    """A kept rule, whatever became of what it names. Raises Unacceptable where a feature it needs is not installed."""
    return Live(rule.id, rule.name, rule.version, kept(session, draft_of(rule)))


def kept(session: Session, draft: Draft) -> Read:
    """What a rule was once, whatever became of what it names."""
    return _read(session, draft, whole=False)


def checked(session: Session, draft: Draft, at: str = "") -> Read:
    """A draft, with all that it names there. at: pointer of the rule in the request.

    Raises Unacceptable with every bad place of `when` and `then`, or of `if`.
    """
    read = _read(session, draft, at, whole=True)
    if isinstance(read.trigger, Schedule) and read.tree is None:
        raise Unacceptable.at(f"{at}/if", "expected a condition: an hour is nobody's, the condition says whose it is")
    return read


def _read(session: Session, draft: Draft, at: str = "", *, whole: bool) -> Read:
    found, faults = triggers.parse(session, draft.when, f"{at}/when", whole=whole)
    done, more = actions.parse(session, draft.then, f"{at}/then", whole=whole)
    faults += more
    if found is None or faults:
        raise Unacceptable(f"{faults[0].pointer}: {faults[0].detail}", tuple(faults))
    return Read(found, _tree(session, draft.if_, f"{at}/if", whole), done)


def _tree(session: Session, data: Any, at: str, whole: bool) -> Tree | None:
    if data is None:
        return None
    return tree.parse(session, data, at) if whole else tree.stored(session, data)


def faults_of(session: Session, rule: TagRule) -> tuple[Fault, ...]:
    """What a kept rule names that is not there any more."""
    try:
        checked(session, draft_of(rule))
    except Unacceptable as problem:
        return problem.faults
    return ()
