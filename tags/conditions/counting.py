"""Whom trees mean, and how many that is: asked here by pages, answered by the feature that can.

@means
def meant(session: Session, trees: Sequence[Tree]) -> Sequence[Members]: ...        # as of one moment

@part(_l("其中是好友"))
def friends() -> Json: return {"contact": "active"}         # a number beside the count, of those who are this as well
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from sqlalchemy.orm import Session

from bot.core.feature import Register
from tags.conditions.tree import Group, Tree, parse

EVERYBODY = Group("all", ())
SAMPLE = 5


class Members(Protocol):
    """Ids of customers, by rising id."""

    def __len__(self) -> int: ...

    def __contains__(self, customer_id: int) -> bool: ...

    def __getitem__(self, n: int) -> int: ...

    def iter_equal_or_larger(self, customer_id: int) -> Iterator[int]: ...


Meaner: TypeAlias = Callable[[Session, Sequence[Tree]], Sequence[Members]]
Narrower: TypeAlias = Callable[[], dict[str, Any]]
meaners: Register[Meaner] = Register("who says whom conditions mean")
parts: Register[tuple[Any, Narrower]] = Register("parts of a count")


@dataclass(frozen=True)
class Look:
    """count of `total` customers; parts: of those, by label; sample: ids of some, drawn at random."""

    count: int
    total: int
    parts: Sequence[tuple[str, int]]
    sample: Sequence[int]


def means(function: Meaner) -> Meaner:
    """Mark the function that says whom trees mean; there is one."""
    return meaners.mark(function, function)


def part(label: Any) -> Callable[[Narrower], Narrower]:
    """Mark a function that gives the tree (JSON) of a number that stands beside a count. label: a lazy string."""
    return lambda function: parts.mark(function, (label, function))


def meant(session: Session, *trees: Tree) -> Sequence[Members]:
    """Whom each tree means, all as of one moment."""
    [answer] = meaners
    return answer(session, trees)


def counted(session: Session, trees: Sequence[Tree]) -> Sequence[int]:
    """How many customers each tree means."""
    return [len(found) for found in meant(session, *trees)]


def look(session: Session, tree: Tree) -> Look:
    """The numbers of a tree."""
    told = [(str(label), parse(session, narrower(), "")) for label, narrower in parts]
    found, everybody, *each = meant(session, tree, EVERYBODY, *(Group("all", (tree, one)) for _, one in told))
    drawn = random.sample(range(len(found)), min(SAMPLE, len(found)))
    numbers = [(label, len(one)) for (label, _), one in zip(told, each, strict=True)]
    return Look(len(found), len(everybody), numbers, [found[n] for n in drawn])
