"""The tree: parsed from JSON, compiled to SQL, read back in words (T4).

tree = parse(session, {"all": [{"tag": "12"}, {"orders": {"count": {"gte": 2}, "within_days": 90}}]}, "/where")
select(Customer.id).where(tree.holds(Asked(session, Customer.__table__.c.id, clock.now())))
tree.words(session, "zh_CN")        # 有标签「金卡」，并且近 90 天下单 ≥ 2 次

A leaf is a pydantic model of its JSON, registered by the feature that keeps the fact:

@leaf
class TagLeaf(Leaf, key="tag"):
    tag: Ident
    shown = Shown(_l("标签"), TAGS, Sentence(_l("有 {tag}"), Choice("tag", _l("标签"), options=tags)))
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeVar, get_args

from pydantic import ValidationError
from sqlalchemy import Column, ColumnElement, Select, and_, not_, or_, true
from sqlalchemy.orm import Session

from bot.core.errors import Fault, Unacceptable
from bot.core.feature import Register
from bot.core.i18n import say
from bot.core.installation import installation_of
from bot.web.api import Body
from bot.web.problems import of_validation
from tags.conditions.controls import Shown
from tags.conditions.numbers import Compare

Kind = Literal["all", "any", "none"]
GROUPS = get_args(Kind)
MOST_DEPTH = 5  # groups within groups; what the builder shows and a person still reads
MOST_LEAVES = 100


@dataclass(frozen=True)
class Asked:
    """Of whom and when a tree is asked: `who` is the column of survivors' ids, `now` aware UTC."""

    session: Session
    who: Column[int]
    now: datetime

    @property
    def zone(self) -> tzinfo:
        """The brand's (G2)."""
        return installation_of(self.session).settings.timezone


@dataclass(frozen=True)
class Often:
    """Those with as many different things as `times` says, which none has that has nothing.

    pairs: an id and the number of a thing of hers; several of one thing count once.
    """

    pairs: Select[*tuple[Any, ...]]
    times: Compare


class Leaf(Body):
    """One fact about a customer. key: the field by which its JSON is known as this leaf."""

    key: ClassVar[str]
    shown: ClassVar[Shown]  # how it stands in the condition builder

    def __init_subclass__(cls, key: str = "", **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.key = key

    def faults(self, session: Session) -> Iterator[Fault]:
        """What the fields alone don't tell: ids nobody has. Pointers are relative to the leaf."""
        yield from ()

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """Whether it is true of `asked.who`; never NULL."""
        raise NotImplementedError

    def words(self, session: Session, lang: str) -> str:
        """The sentence a person reads, in `lang` (zh_CN, zh_TW, en)."""
        raise NotImplementedError

    def found(self, asked: Asked) -> "Select[int] | Often | None":
        """Ids of those of whom it holds, where a statement over all finds them sooner than `holds` of each one."""
        return None

    def aged(self, asked: Asked, since: datetime) -> Select[int] | None:
        """Ids of those for whom the time from `since` to `asked.now` alone may have changed it; None: for nobody."""
        return None

    @property
    def ages_with(self) -> str | None:
        """What leaves have in common that `stirs` is asked once for; None: each is asked what aged."""
        return None

    def stirs(self, asked: Asked, since: datetime) -> Select[Any]:
        """Rows, of which there is none where `aged` finds nobody, whichever of the leaves is asked."""
        raise NotImplementedError

    def narrowed(self) -> Mapping[str, str]:
        """By table: the `key` of those of its changes (`membership_changes`) that concern this leaf alone."""
        return {}

    @property
    def told(self) -> bool:
        """Whether those changes themselves say who has it: where they carry `held`, nothing else is asked."""
        return False

    def stands_for(self, session: Session) -> "Tree | None":
        """The tree it is another word for, if it is one."""
        return None

    @cached_property
    def known_as(self) -> str:
        """Its JSON as text: the same of leaves that say the same."""
        return json.dumps(self.json(), sort_keys=True, ensure_ascii=False)

    def json(self) -> dict[str, Any]:  # type: ignore[override]  # pydantic's own is its version 1's
        """The leaf as it was given."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)


@dataclass(frozen=True)
class Group:
    """all: every node holds, of an empty one everybody's; any: at least one; none: not one of them."""

    kind: Kind
    nodes: tuple["Tree", ...]

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As of a leaf."""
        inside = [node.holds(asked) for node in self.nodes]
        if self.kind == "all":
            return and_(true(), *inside)
        return or_(*inside) if self.kind == "any" else not_(or_(*inside))

    def words(self, session: Session, lang: str) -> str:
        """As of a leaf; groups inside stand in brackets."""
        said = [
            say(lang, "（%(inside)s）", inside=node.words(session, lang))
            if isinstance(node, Group) and node.kind != "none" and len(node.nodes) > 1 and len(self.nodes) > 1
            else node.words(session, lang)
            for node in self.nodes
        ]
        if self.kind == "all":
            return say(lang, "，并且").join(said)
        joined = say(lang, "，或者").join(said)
        return joined if self.kind == "any" else say(lang, "并非（%(inside)s）", inside=joined)

    def json(self) -> dict[str, Any]:
        """The group as it was given."""
        return {self.kind: [node.json() for node in self.nodes]}


Tree = Group | Leaf
Class = TypeVar("Class", bound=type[Leaf])
leaves: Register[type[Leaf]] = Register("condition leaves")


def leaf(kind: Class) -> Class:
    """Mark a class as a leaf that conditions may have. Raises TypeError for one the builder could not show."""
    if not hasattr(kind, "shown"):
        raise TypeError(f"{kind.__name__} has no `shown`, expected a Shown (tags/conditions/controls.py)")
    return leaves.mark(kind, kind)


def parse(session: Session, data: Any, at: str) -> Tree:
    """The tree that `data` (parsed JSON) means. at: pointer of `data` in the request (`/where`).

    Raises Unacceptable (422) with every bad place: a node that is none, an unknown id, too deep, too many.
    """
    reader = _Reader(session, checked=True)
    tree = reader.node(data, at, 1)
    if reader.count > MOST_LEAVES:
        reader.faults.append(Fault(at, f"has {reader.count} leaves, expected at most {MOST_LEAVES}"))
    if tree is None or reader.faults:
        first = reader.faults[0]
        raise Unacceptable(f"{first.pointer}: {first.detail}", tuple(reader.faults))
    return tree


def stored(session: Session, data: Any) -> Tree:
    """A tree that was parsed when it was kept. What its leaves name may be gone since: nobody has a deleted tag.

    Raises Unacceptable where it is none any more: a leaf's feature is not installed.
    """
    reader = _Reader(session, checked=False)
    tree = reader.node(data, "", 1)
    if tree is None or reader.faults:
        raise Unacceptable(f"{reader.faults[0].pointer}: {reader.faults[0].detail}", tuple(reader.faults))
    return tree


class _Reader:
    def __init__(self, session: Session, *, checked: bool) -> None:
        self._session, self._checked = session, checked
        self._kinds: Mapping[str, type[Leaf]] = {kind.key: kind for kind in leaves}
        self.faults: list[Fault] = []
        self.count = 0

    def node(self, data: Any, at: str, depth: int) -> Tree | None:
        """The node, or None with its faults noted."""
        try:
            return self._node(data, at, depth)
        except _Bad as bad:
            self.faults += bad.args
            return None

    def _node(self, data: Any, at: str, depth: int) -> Tree:
        if not isinstance(data, dict):
            expected = 'expected a condition, an object such as {"tag": "12"}'
            raise _Bad(Fault(at, f"{expected}; found {_kind(data)}"))
        groups: list[Any] = [key for key in GROUPS if key in data]
        known = [key for key in data if key in self._kinds]
        if len(groups) + len(known) != 1 or (groups and len(data) > 1):
            expected, found = ", ".join([*GROUPS, *self._kinds]), ", ".join(data)[:100]
            raise _Bad(Fault(at, f"expected exactly one of {expected}; found {found or 'nothing'}"))
        if groups:
            return self._group(groups[0], data[groups[0]], at, depth)
        return self._leaf(self._kinds[known[0]], data, at)

    def _group(self, kind: Kind, inside: Any, at: str, depth: int) -> Group:
        if depth > MOST_DEPTH:
            raise _Bad(Fault(at, f"expected at most {MOST_DEPTH} groups within each other"))
        if not isinstance(inside, list) or not inside:
            raise _Bad(Fault(f"{at}/{kind}", f"expected a list of at least one condition; found {_kind(inside)}"))
        nodes = [self.node(one, f"{at}/{kind}/{n}", depth + 1) for n, one in enumerate(inside)]
        return Group(kind, tuple(node for node in nodes if node is not None))

    def _leaf(self, kind: type[Leaf], data: dict[str, Any], at: str) -> Leaf:
        self.count += 1
        try:
            made = kind.model_validate(data)
        except ValidationError as error:
            faults: Iterable[Fault] = of_validation(error, data).faults
        else:
            faults = made.faults(self._session) if self._checked else ()
        placed = [one.under(at) for one in faults]
        if placed:
            raise _Bad(*placed)
        return made


class _Bad(Exception):
    """Faults that leave nothing to go on with."""


def _kind(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "a string", bool: "a boolean", type(None): "null"}
    said = names.get(type(value), "a number")
    return f"{said} that is empty" if value in ({}, []) else said
