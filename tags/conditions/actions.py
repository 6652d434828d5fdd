"""Then: what a rule or a journey does for her (T3). The feature that can do it registers it:

@action(lambda lang: say(lang, "打标签"))
class AddTag(Action, key="add_tag"):
    add_tag: Ident
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError
from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import Session

from bot.core.errors import Fault
from bot.core.feature import Register
from bot.web.api import Body
from bot.web.problems import of_validation
from tags.conditions.controls import Control
from tags.conditions.tree import Asked
from tags.conditions.triggers import Effect, Said

MOST_ACTIONS = 10


@dataclass(frozen=True)
class Fired:
    """Why something is done for her. source: who does it, as records keep it (`rule:3`); name: what people call that.

    hit_id: unique to this time, for what has to be done once. She is locked.
    """

    customer_id: int
    source: str
    name: str
    hit_id: int


class Action(Body):
    """One thing to do. key: the field by which its JSON is known as this action."""

    key: ClassVar[str]
    label: ClassVar[Said]

    def __init_subclass__(cls, key: str = "", **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.key = key

    def faults(self, session: Session) -> Iterator[Fault]:
        """What the fields alone don't tell: ids nobody has. Pointers are relative to the action."""
        yield from ()

    def names(self) -> Iterator[tuple[str, str]]:
        """What it names by id, as (`tag`, `12`): in use, and not to be deleted unawares."""
        yield from ()

    def effects(self, session: Session) -> Iterator[Effect]:
        """The events it may cause by itself, without anybody's doing: what a loop could be made of."""
        yield from ()

    def changes(self, asked: Asked) -> ColumnElement[bool]:
        """Whether doing it would change anything for `asked.who`."""
        return true()

    def do(self, session: Session, fired: Fired) -> None:
        """Do it, in the caller's transaction. Raises Problem where it can't be done."""
        raise NotImplementedError

    def words(self, session: Session, lang: str) -> str:
        """The sentence a person reads, in `lang` (zh_CN, zh_TW, en)."""
        raise NotImplementedError

    @classmethod
    def controls(cls, session: Session, lang: str) -> list[Control]:
        """How a form asks for it; names are places in its JSON."""
        raise NotImplementedError

    def json(self) -> dict[str, Any]:  # type: ignore[override]  # pydantic's own is its version 1's
        """The action as it was given."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


Class = TypeVar("Class", bound=type[Action])
actions: Register[type[Action]] = Register("actions")


def action(label: Said) -> Callable[[Class], Class]:
    """Mark a class as what rules may do. label: what it is called, in a language."""

    def mark(made: Class) -> Class:
        made.label = staticmethod(label)
        return actions.mark(made, made)

    return mark


def kinds() -> Mapping[str, type[Action]]:
    """Actions by key, in the order of features."""
    return {one.key: one for one in actions}


def parse(session: Session, data: Any, at: str, *, whole: bool = True) -> tuple[list[Action], list[Fault]]:
    """The actions that `data` (a list of parsed JSON) means, and every bad place. at: its pointer (`/then`).

    whole: also that what they name is there.
    """
    if not isinstance(data, list) or not 1 <= len(data) <= MOST_ACTIONS:
        return [], [Fault(at, f"expected a list of 1 to {MOST_ACTIONS} actions")]
    made, faults = [], []
    for n, one in enumerate(data):
        found = _one(session, one, f"{at}/{n}", whole)
        if isinstance(found, Action):
            made.append(found)
        else:
            faults += found
    return made, faults


def _one(session: Session, data: Any, at: str, whole: bool) -> Action | list[Fault]:
    known = kinds()
    if not isinstance(data, dict) or len(data) != 1 or next(iter(data)) not in known:
        found = ", ".join(map(str, data))[:100] if isinstance(data, dict) else "no object"
        return [Fault(at, f"expected exactly one of {', '.join(known)}; found {found or 'nothing'}")]
    kind: Callable[[Any], Action] = known[next(iter(data))].model_validate
    try:
        made = kind(data)
    except ValidationError as error:
        return [one.under(at) for one in of_validation(error, data).faults]
    faults = [one.under(at) for one in made.faults(session)] if whole else []
    return faults or made
