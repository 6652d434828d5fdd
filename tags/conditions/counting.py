"""How many customers trees mean: asked here by pages, answered by the feature that can, the last one in the list.

@counts
def counts(session: Session, trees: Sequence[Tree]) -> Sequence[int]: ...

@draws
def some(session: Session, tree: Tree, size: int) -> Sequence[int]: ...        # ids of customers drawn at random

@part(_l("其中是好友"))
def friends() -> Json: return {"contact": "active"}         # a number beside the count, of those who are this as well
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy.orm import Session

from bot.core.feature import Register
from tags.conditions.tree import Group, Tree, parse

Counter: TypeAlias = Callable[[Session, Sequence[Tree]], Sequence[int]]
Drawer: TypeAlias = Callable[[Session, Tree, int], Sequence[int]]
Narrower: TypeAlias = Callable[[], dict[str, Any]]
counters: Register[Counter] = Register("counters of conditions")
drawers: Register[Drawer] = Register("samples of conditions")
parts: Register[tuple[Any, Narrower]] = Register("parts of a count")

EVERYBODY = Group("all", ())
SAMPLE = 5


@dataclass(frozen=True)
class Look:
    """count of `total` customers; parts: of those, by label; sample: ids of some, drawn at random."""

    count: int
    total: int
    parts: Sequence[tuple[str, int]]
    sample: Sequence[int]


def counts(function: Counter) -> Counter:
    """Mark a function that counts whom each of some trees means now."""
    return counters.mark(function, function)


def draws(function: Drawer) -> Drawer:
    """Mark a function that draws some of whom a tree means now."""
    return drawers.mark(function, function)


def part(label: Any) -> Callable[[Narrower], Narrower]:
    """Mark a function that gives the tree (JSON) of a number that stands beside a count. label: a lazy string."""
    return lambda function: parts.mark(function, (label, function))


def counted(session: Session, trees: Sequence[Tree]) -> Sequence[int]:
    """How many customers each tree means now."""
    return counters.entries[-1](session, trees) if trees else []


def look(session: Session, tree: Tree) -> Look:
    """The numbers of a tree."""
    told = [(str(label), parse(session, narrower(), "")) for label, narrower in parts]
    count, total, *each = counted(session, [tree, EVERYBODY, *(Group("all", (tree, one)) for _, one in told)])
    sample = drawers.entries[-1](session, tree, SAMPLE) if count else []
    return Look(count, total, [(label, n) for (label, _), n in zip(told, each, strict=True)], sample)
