"""A tree being built: read from a form, changed by its buttons, checked, counted and laid out for the template.

    draft = Draft.sent(session(), form.values)       # what the form says, its button pressed
    draft = Draft(session(), segment.where)          # what is saved
    draft.tree                                       # None while there is nothing, or something is wrong

Fields are named by path: `t.kind` is the root's, `t.2.0.kind` the first node's in its third; a group's kind is all, any
or none, a leaf's its key, and beside it stand the leaf's controls (`t.2.0.for_days`). Buttons are `op=leaf.2` (a leaf
more in the third node), `group.2`, `del.2.0`. There is no tree in the browser, and no script is needed.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_pgettext
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bot.core.errors import Unacceptable
from bot.web.language import spoken
from tags.conditions.controls import Control, Drawn, Json, Option, Sent, put
from tags.conditions.counting import counted
from tags.conditions.tree import GROUPS, MOST_DEPTH, Group, Leaf, Tree, leaves, parse

KINDS = {
    "all": lazy_pgettext("condition group", "全部"), "any": lazy_pgettext("condition group", "任一"),
    "none": lazy_pgettext("condition group", "都不"),
}  # fmt: skip
DEEPEST = 2 * MOST_DEPTH  # of a field's name; what lies deeper no page has drawn


@dataclass
class Node:
    """A group or a leaf as the template shows it. at: its place (`2.0`, "" for the root); count: None while unknown.

    parts: words and controls of a leaf's sentence; nodes: of a group. error: what is wrong with it as a whole.
    """

    at: str
    kind: str
    tree: Tree | None = None
    count: int | None = None
    error: str = ""
    parts: Sequence[str | Drawn] = ()
    nodes: Sequence["Node"] = ()
    may_nest: bool = False

    @property
    def is_group(self) -> bool:
        return self.kind in GROUPS

    def walk(self) -> Iterator["Node"]:
        """Itself and all inside."""
        yield self
        for node in self.nodes:
            yield from node.walk()


@dataclass
class Draft:
    """A tree as JSON, laid out. name: what its fields begin with; at: pointer of the tree in the API's requests.

    form: what was sent, for the words searched for in lists. A bare leaf is laid out as a group of one. choices: the
    leaves there are, by the label of their group.
    """

    session: Session
    json: Json
    name: str = "t"
    at: str = "/where"
    form: MultiDict[str, Any] = field(default_factory=MultiDict)

    def __post_init__(self) -> None:
        if not set(self.json) & set(GROUPS):
            self.json = {"all": [self.json] if self.json else []}
        self.modes = KINDS
        self.kinds: Mapping[str, type[Leaf]] = {kind.key: kind for kind in leaves}
        self.choices: dict[str, list[Option]] = {}
        for kind in leaves:
            self.choices.setdefault(str(kind.shown.group), []).append(Option(kind.key, kind.shown.label))
        self.root = self._node(self.json, "", self.at, 1)
        self.fault = "" if self.root.tree is None else self._whole()
        self.tree = None if self.fault else self.root.tree
        self._count()

    @classmethod
    def sent(cls, session: Session, form: MultiDict[str, Any], *, name: str = "t", at: str = "/where") -> "Draft":
        """What a form says, once the button it was sent by has done its work."""
        return cls(session, changed(read(session, form, name), str(form.get("op", ""))), name, at, form)

    @property
    def empty(self) -> bool:
        """Whether it has no condition at all."""
        return not self.root.nodes

    @property
    def words(self) -> str:
        """What is complete of it, in words; "" where nothing is."""
        tree = _complete(self.root)
        return tree.words(self.session, spoken()) if tree is not None else ""

    @property
    def unfilled(self) -> str:
        """What is said where a tree is needed and this is none; "" where it is one."""
        if self.empty:
            return str(_("至少加一个条件"))
        return "" if self.tree is not None else self.fault or str(_("有条件还没填好"))

    def _node(self, data: Any, at: str, pointer: str, depth: int) -> Node:
        kind = next(iter(set(data) & set(GROUPS)), "")
        return self._group(kind, data[kind], at, pointer, depth) if kind else self._leaf(data, at, pointer)

    def _group(self, kind: Any, inside: Sequence[Any], at: str, pointer: str, depth: int) -> Node:
        nodes = [
            self._node(one, f"{at}.{n}".strip("."), f"{pointer}/{kind}/{n}", depth + 1) for n, one in enumerate(inside)
        ]
        trees = [node.tree for node in nodes if node.tree is not None]
        tree = Group(kind, tuple(trees)) if nodes and len(trees) == len(nodes) else None
        error = "" if nodes or not at else str(_("加一个条件，或者删掉这一组"))
        return Node(at, kind, tree, error=error, nodes=nodes, may_nest=depth < MOST_DEPTH)

    def _leaf(self, data: Json, at: str, pointer: str) -> Node:
        kind = next((key for key in data if key in self.kinds), "")
        if not kind:
            return Node(at, "", error=str(_("请选择条件")))
        tree, faults = self._checked(data, pointer)
        shown, begin = self.kinds[kind].shown, f"{self.name}.{at}"
        parts: list[str | Drawn] = []
        told: set[str] = set()
        for part in shown.said(self.session, lambda name: str(data.get(name, ""))).parts():
            if isinstance(part, Control):
                drawn = part.draw(self.session, data, begin, _fields(self.form, begin))
                drawn.error = part.error(data, faults)
                told.add(drawn.error)
                parts.append(drawn)
            else:
                parts.append(part)
        rest = "" if told - {""} else next(iter(faults.values()), "")
        return Node(at, kind, tree, error=rest, parts=parts)

    def _checked(self, data: Json, pointer: str) -> tuple[Tree | None, dict[str, str]]:
        try:
            return parse(self.session, data, pointer), {}
        except Unacceptable as wrong:
            return None, {fault.pointer.removeprefix(pointer): fault.said for fault in wrong.faults}

    def _whole(self) -> str:
        """What is wrong with the tree as a whole, though each part is right."""
        try:
            parse(self.session, self.json, self.at)
        except Unacceptable as wrong:
            return wrong.faults[0].said
        return ""

    def _count(self) -> None:
        nodes = [node for node in self.root.walk() if node.tree is not None]
        trees = [node.tree for node in nodes if node.tree is not None]
        for node, count in zip(nodes, counted(self.session, [] if self.fault else trees), strict=False):
            node.count = count


def read(session: Session, form: MultiDict[str, Any], name: str = "t") -> Json:
    """The tree whose fields a form has, as JSON; what is wrong in it stays wrong. Text has no white space around it."""
    inside: dict[tuple[int, ...], set[int]] = {}
    for key in form:
        path = _path(key, name)
        for depth, step in enumerate(path):
            inside.setdefault(path[:depth], set()).add(step)
    kinds = {kind.key: kind for kind in leaves}

    def node(path: tuple[int, ...]) -> Json:
        begin = ".".join([name, *map(str, path)])
        kind = str(form.get(f"{begin}.kind", ""))
        if kind in GROUPS or not path:
            return {kind if kind in GROUPS else "all": [node((*path, step)) for step in sorted(inside.get(path, ()))]}
        return _leaf(session, kinds[kind], form, begin) if kind in kinds else {}

    return node(())


def changed(tree: Json, op: str) -> Json:
    """The tree after a button: `leaf.P`, `group.P` add to the group at P, `del.P` takes a node away; else as it was.

    A group that is left empty goes too.
    """
    verb, _dot, place = op.partition(".")
    steps = [int(step) for step in place.split(".") if step.isdigit()]
    if verb == "del" and steps:
        return _without(tree, steps)
    if verb not in ("leaf", "group"):
        return tree
    group = tree
    for step in steps:
        group = (_inside(group)[step : step + 1] or [{}])[0]
    _inside(group).append({} if verb == "leaf" else {"all" if "any" in group else "any": [{}]})
    return tree


def _without(tree: Json, steps: Sequence[int]) -> Json:
    first, *rest = steps
    inside = _inside(tree)
    if first < len(inside):
        left = _without(inside[first], rest) if rest else {}
        inside[first : first + 1] = [left] if _inside(left) else []
    return tree


def _inside(tree: Json) -> list[Json]:
    """The nodes of a group, as they stand in it; none of a leaf."""
    return next((nodes for kind, nodes in tree.items() if kind in GROUPS), [])


def _leaf(session: Session, kind: type[Leaf], form: MultiDict[str, Any], begin: str) -> Json:
    if form.get(f"{begin}.was") != kind.key:  # chosen just now: the other one's fields say nothing about it
        return deepcopy(kind.shown.start) or {kind.key: ""}
    made: Json = {}
    sent = _fields(form, begin)
    for control in kind.shown.said(session, lambda field: "".join(sent(field)[:1])).controls:
        for place, value in control.read(sent):
            put(made, place, value)
    made.setdefault(kind.key, {})
    return made


def _fields(form: MultiDict[str, Any], begin: str) -> Sent:
    return lambda name: [str(one) for one in form.getlist(f"{begin}.{name}")]


def _path(key: str, name: str) -> tuple[int, ...]:
    """The steps in a field's name: (2, 0) of `t.2.0.kind`; none of what is no field of the tree."""
    first, *parts = key.split(".")
    steps = takewhile(str.isdecimal, parts[:DEEPEST])
    return tuple(int(step) for step in steps) if first == name else ()


def _complete(node: Node) -> Tree | None:
    """What is complete of a tree."""
    if node.tree is not None or not node.is_group:
        return node.tree
    inside = tuple(tree for tree in map(_complete, node.nodes) if tree is not None)
    return Group(node.kind, inside) if inside else None  # type: ignore[arg-type]  # one of GROUPS
