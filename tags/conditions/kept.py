"""Trees that are kept: who uses a tag, a segment or a field, so that nothing in use is deleted unawares.

@keeps
def segments(session: Session, lang: str) -> Iterable[Kept]: ...
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.core.feature import Register
from tags.conditions.tree import Group, Leaf, Tree


@dataclass(frozen=True)
class Kept:
    """A tree and what it is kept for. thing: `segment:3`; called: `客群「老客」`; address: of its console page."""

    thing: str
    called: str
    address: str
    tree: Tree


Keeper = Callable[[Session, str], Iterable[Kept]]
keepers: Register[Keeper] = Register("keepers of condition trees")


def keeps(function: Keeper) -> Keeper:
    """Mark a function `(session, lang)` that yields the trees in use; a bare leaf stands for a plain reference."""
    return keepers.mark(function, function)


def leaves_of(tree: Tree) -> Iterator[Leaf]:
    """The leaves of a tree, in order."""
    if isinstance(tree, Group):
        for node in tree.nodes:
            yield from leaves_of(node)
    else:
        yield tree


def spelled_out(session: Session, tree: Tree) -> Tree:
    """The tree with those in place of the leaves that stand for trees."""
    if isinstance(tree, Group):
        nodes = tuple(spelled_out(session, node) for node in tree.nodes)
        return tree if all(a is b for a, b in zip(nodes, tree.nodes, strict=True)) else Group(tree.kind, nodes)
    inside = tree.stands_for(session)
    return tree if inside is None else spelled_out(session, inside)


def used(session: Session, key: str, value: str, lang: str) -> list[Kept]:
    """The kept trees that have a leaf whose `key` is `value`: `used(session, "tag", "12", lang)`."""
    return [
        kept for keeper in keepers for kept in keeper(session, lang)
        if any(leaf.json().get(key) == value for leaf in leaves_of(kept.tree))
    ]  # fmt: skip
