"""Trees that are kept: who uses a tag, a segment or a field, so that nothing in use is deleted unawares.

@keeps
def segments(session: Session, lang: str) -> Iterable[Kept]: ...
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.core.errors import Conflict
from bot.core.feature import Register
from tags.conditions.tree import Group, Leaf, Tree


@dataclass(frozen=True)
class Kept:
    """A tree and what it is kept for. thing: `segment:3`; called: `客群「老客」`; address: of its console page."""

    thing: str
    called: str
    address: str
    tree: Tree


class InUse(Conflict):
    """Kept trees ask what is to be deleted; `used_by` names what they are kept for."""

    def __init__(self, called: str, users: Sequence[Kept]) -> None:
        names = ", ".join(one.called for one in users)
        words = _l("还有规则、客群或社群在用它，不能删除")
        super().__init__(f"{called} is used by {names}", words=words, used_by=[one.thing for one in users])


Usage = dict[tuple[str, str], list[Kept]]
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


def usage(session: Session, lang: str) -> Usage:
    """What uses each thing, by (key, value) of a leaf: `usage(session, "zh_CN").get(("tag", "12"), [])`.

    It reads every kept tree, so whoever shows many things asks once.
    """
    found: Usage = {}
    for keeper in keepers:
        for kept in keeper(session, lang):
            pairs = (pair for leaf in leaves_of(kept.tree) for pair in leaf.json().items() if isinstance(pair[1], str))
            for pair in dict.fromkeys(pairs):
                found.setdefault(pair, []).append(kept)
    return found


def check_unused(session: Session, key: str, value: str, called: str) -> None:
    """Raises InUse where a kept tree has a leaf whose `key` is `value`; called: what is to go, as `segment 3`."""
    users = usage(session, "en").get((key, value))
    if users:
        raise InUse(called, users)
