"""Loops of rules against brute force: every set that is taken ends, and what is refused could go on (T3)."""

from dataclasses import dataclass
from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from tags.autotag.rules import Node, contradiction, find_loop
from tags.conditions.triggers import Effect

TAGS = ("a", "b", "c")
ADDED, REMOVED = "tag.added", "tag.removed"
Event = tuple[str, str]  # what happened, to which tag
State = frozenset[str]


@dataclass(frozen=True)
class Rule:
    """When an event of this kind happens to this tag (None: any), these are done: (added, tag) or (removed, tag)."""

    event: str
    tag: str | None
    does: tuple[Event, ...]

    def waits_for(self, event: Event) -> bool:
        return event[0] == self.event and self.tag in (None, event[1])


does = st.lists(st.tuples(st.sampled_from((ADDED, REMOVED)), st.sampled_from(TAGS)), min_size=1, max_size=2)
rules = st.builds(
    Rule, st.sampled_from((ADDED, REMOVED)), st.sampled_from((None, *TAGS)),
    does.filter(lambda acts: len({tag for _, tag in acts}) == len(acts)).map(tuple),
)  # fmt: skip
sets = st.lists(rules, min_size=1, max_size=4)


def effect(event: Event) -> Effect:
    other = REMOVED if event[0] == ADDED else ADDED
    return Effect(event[0], (("tag_id", event[1]),), other)


def node(place: int, rule: Rule) -> Node:
    def meets(one: Effect) -> bool:
        return rule.waits_for((one.event, one.said["tag_id"]))

    return Node(place, str(place), meets, tuple(effect(one) for one in rule.does))


def loop(kept: list[Rule]) -> list[int] | None:
    found = find_loop([node(place, rule) for place, rule in enumerate(kept)])
    return [one.id for one, _ in found] if found is not None else None


def act(state: State, event: Event) -> tuple[State, bool]:
    """The tags after an action, and whether it changed anything, which is what an event is announced of."""
    kind, tag = event
    after = state | {tag} if kind == ADDED else state - {tag}
    return after, after != state


def ends(kept: list[Rule], start: State, first: Event, most: int = 400) -> bool:
    """Whether what an event sets off comes to an end; rules are done within one another, as in the program."""
    left = most
    state = start

    def happened(event: Event) -> bool:
        nonlocal left, state
        for rule in kept:
            if rule.waits_for(event):
                for one in rule.does:
                    left -= 1
                    state, changed = act(state, one)
                    if left < 0 or (changed and not happened(one)):
                        return False
        return True

    return happened(first)


def every_start() -> list[tuple[State, Event]]:
    """Each set of tags, just after one of them came or one of the others went."""
    states = [frozenset(t for t, has in zip(TAGS, bits, strict=True) if has) for bits in product((0, 1), repeat=3)]
    return [(state, (ADDED if tag in state else REMOVED, tag)) for state in states for tag in TAGS]


def leads(kept: list[Rule], from_: int, because: Event, to: int) -> list[Event]:
    """Brute force: the events by which rule `from_`, done because of one, sets off `to` from any tags she may have.

    She may have lost or regained the very tag meanwhile, where any rule of the set does that.
    """
    done = {one for rule in kept for one in rule.does}
    found = []
    for state in {state for state, _ in every_start()}:
        undone = (REMOVED if because[0] == ADDED else ADDED, because[1])
        if (because[1] in state) != (because[0] == ADDED) and undone not in done:
            continue
        for one in kept[from_].does:
            if act(state, one)[1] and kept[to].waits_for(one):
                found.append(one)
    return found


def brute(kept: list[Rule]) -> bool:
    """Whether some way leads from a rule and its event back to the same."""
    steps = [(place, event) for place in range(len(kept)) for event in {e for r in kept for e in r.does}]
    steps = [(place, event) for place, event in steps if kept[place].waits_for(event)]
    ways = {
        (place, event): {(to, one) for to in range(len(kept)) for one in leads(kept, place, event, to)}
        for place, event in steps
    }
    for _ in steps:
        ways = {step: after.union(*(ways[one] for one in after)) if after else after for step, after in ways.items()}
    return any(step in after for step, after in ways.items())


@given(sets)
def test_a_set_that_is_taken_ends_whatever_sets_it_off(kept: list[Rule]) -> None:  # T3
    if loop(kept) is None:
        assert all(ends(kept, state, event) for state, event in every_start())


@given(sets)
def test_what_is_found_is_what_brute_force_finds(kept: list[Rule]) -> None:  # T3
    assert (loop(kept) is not None) == brute(kept)


@given(sets)
def test_the_loop_that_is_named_is_one(kept: list[Rule]) -> None:  # T3
    found = loop(kept)
    if found is not None:
        for one, after in zip(found, [*found[1:], found[0]], strict=True):
            assert any(kept[after].waits_for(event) for event in kept[one].does)


def test_harmless_sets_are_taken_and_loops_named_in_order() -> None:  # T3
    chain = [Rule(ADDED, "a", ((ADDED, "b"),)), Rule(ADDED, "b", ((ADDED, "c"),))]
    assert loop(chain) is None
    assert loop([*chain, Rule(ADDED, "c", ((ADDED, "a"),))]) == [0, 1, 2]
    marker = Rule(ADDED, None, ((ADDED, "a"),))  # whatever she gets, she also gets a
    assert loop([marker]) is None
    assert loop([marker, Rule(ADDED, "a", ((REMOVED, "a"),))]) == [0]  # it may find a gone again, and add it again
    once = Rule(ADDED, "a", ((REMOVED, "a"),))  # a tag that is used up
    assert loop([once]) is None
    assert loop([once, Rule(REMOVED, "a", ((ADDED, "a"),))]) == [0, 1]


def test_actions_that_undo_each_other_are_seen() -> None:  # T3
    assert contradiction([effect((ADDED, "a")), effect((REMOVED, "a"))]) is not None
    assert contradiction([effect((ADDED, "a")), effect((REMOVED, "b"))]) is None
