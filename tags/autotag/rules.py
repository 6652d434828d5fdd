"""Rules that set off each other: what loops, found before it is saved (T3). Pure.

A node is a rule done because of an event. It leads to each rule that waits for an event which its actions cause: tags
put on or taken off (siblings of a single-choice group too), and the segments these move her into or out of. A person's
act, such as joining a group she was invited to, ends a chain. Conditions (`if`) are not asked: they may hold.

A set loops where a way leads back to where it began; so of two rules that add each other's tag. What can't come back is
no way: a tag she has is not added again while no rule takes it off, which lets a rule wait for any tag and add its own.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tags.conditions.triggers import Effect

MOST_DEPTH = 20  # rules that set off each other for one event; the last guard where the set was not seen as a whole


@dataclass(frozen=True)
class Node:
    """A rule, as far as loops go. meets: whether an event may set it off; causes: what its actions may cause."""

    id: int
    name: str
    meets: Callable[[Effect], bool]
    causes: tuple[Effect, ...]


Step = tuple[int, Effect]  # place of a rule, and the event it is done because of


def find_loop(rules: Sequence[Node]) -> list[tuple[Node, Effect]] | None:
    """The shortest loop: each rule with the event by which it sets off the next, the last one the first. None if none.

    Of several that are as short the one that begins with the earliest rule.
    """
    kept = {effect for rule in rules for effect in rule.causes}
    leads = {
        (place, effect): list(_leads(rules, place, effect, kept))
        for place, rule in enumerate(rules) for effect in sorted(kept, key=repr) if rule.meets(effect)
    }  # fmt: skip
    loops = (found for step in leads if (found := _back(leads, step)) is not None)
    shortest = min(loops, key=len, default=None)
    if shortest is None:
        return None
    return [(rules[place], after) for (place, _), (_, after) in pairwise(shortest)]


def contradiction(effects: Iterable[Effect]) -> Effect | None:
    """An event of one rule's actions that another of them undoes: a tag put on and taken off."""
    caused = set(effects)
    return next((one for one in sorted(caused, key=repr) if one.undone in caused), None)


def _leads(rules: Sequence[Node], place: int, because: Effect, kept: set[Effect]) -> Iterable[Step]:
    for effect in rules[place].causes:
        if effect == because and effect.undone is not None and effect.undone not in kept:
            continue
        yield from ((after, effect) for after, rule in enumerate(rules) if rule.meets(effect))


def _back(leads: dict[Step, list[Step]], start: Step) -> list[Step] | None:
    """The shortest way from a step to itself, both ends in it."""
    came: dict[Step, Step] = {}
    edge = [start]
    while edge:
        further = []
        for step in edge:
            for after in leads[step]:
                if after == start:
                    return [*_way(came, start, step), start]
                if after not in came:
                    came[after] = step
                    further.append(after)
        edge = further
    return None


def _way(came: dict[Step, Step], start: Step, end: Step) -> list[Step]:
    way = [end]
    while way[-1] != start:
        way.append(came[way[-1]])
    return way[::-1]
