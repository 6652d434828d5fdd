"""Follow relations: the state is what the facts say together, in whatever order and how often they came."""

from hypothesis import given
from hypothesis import strategies as st

from tags.people.rules import Change, Fact, fold, with_fact

TOLD = ("half", "full", "customer_left", "staff_left", "transferred")


def history(kinds: tuple[str, ...] = TOLD) -> st.SearchStrategy[list[Fact]]:
    """Facts in the order they happened, some seconds apart, never two in one second."""
    steps = st.tuples(st.sampled_from(kinds), st.integers(1, 200))

    def dated(steps: list[tuple[str, int]]) -> list[Fact]:
        at, facts = 1_700_000_000, []
        for kind, gap in steps:
            at += gap
            facts.append(Fact(kind, at))
        return facts

    return st.lists(steps, min_size=1, max_size=8).map(dated)


def told(facts: list[Fact]) -> tuple[list[Fact], list[Change]]:
    """Tell the facts one by one as they arrive."""
    known: list[Fact] = []
    changes = []
    for fact in facts:
        known, _, change = with_fact(known, fact)
        changes.append(change)
    return known, changes


def plainly(facts: list[Fact]) -> tuple[str, int, int, bool]:
    """Status, addings, ends and half of facts in order, by C5 read aloud: a state and what each fact does to it."""
    status, addings, ends, half, full = "", 0, 0, False, False
    for fact in facts:
        if fact.kind in ("half", "full"):
            if status != "active" or full:
                status, addings, half, full = "active", addings + 1, fact.kind == "half", fact.kind == "full"
            elif fact.kind == "full":
                half, full = False, True
        elif status in ("active", ""):
            status, ends, full = fact.kind, ends + 1, False
    return status, addings, ends, half


@given(facts=history())
def test_facts_told_in_order_count_each_adding_and_each_end_once(facts: list[Fact]) -> None:  # C5 W1 G5
    known, changes = told(facts)
    relation = fold(known)
    assert relation is not None
    assert (relation.status, relation.addings, relation.ends, relation.half) == plainly(facts)
    assert changes.count(Change.ADDED) == relation.addings
    assert changes.count(Change.ENDED) == relation.ends


@given(facts=history((*TOLD, "seen")), data=st.data())
def test_the_relation_is_the_same_whatever_the_order_and_repetitions(facts: list[Fact], data: st.DataObject) -> None:
    # C5 G5
    shuffled = data.draw(st.permutations(facts + data.draw(st.lists(st.sampled_from(facts), max_size=5))))
    known, changes = told(shuffled)
    assert fold(known) == fold(facts)
    assert len(known) == len(set(facts))
    repeated = [change for n, change in enumerate(changes) if shuffled[n] in shuffled[:n]]
    assert set(repeated) <= {Change.SAME}


def test_the_full_event_after_the_half_one_is_the_same_adding() -> None:  # W1
    _, changes = told([Fact("half", 10), Fact("full", 400)])
    assert changes == [Change.ADDED, Change.COMPLETED]
    _, changes = told([Fact("full", 400), Fact("half", 10)])
    assert changes == [Change.ADDED, Change.SAME]


def test_two_addings_within_one_second_are_told_apart_by_their_welcome_codes() -> None:  # C5 G5
    known, changes = told([Fact("full", 10, "a"), Fact("customer_left", 10), Fact("full", 10, "b")])
    assert changes == [Change.ADDED, Change.ENDED, Change.ADDED]
    relation = fold(known)
    assert relation is not None
    assert relation.active


def test_an_end_told_after_she_came_back_does_not_end_the_new_relation() -> None:  # C5
    known, changes = told([Fact("full", 10), Fact("full", 30), Fact("customer_left", 20)])
    assert changes == [Change.ADDED, Change.ADDED, Change.LATE]
    relation = fold(known)
    assert relation is not None
    assert (relation.status, relation.added_at, relation.ends) == ("active", 30, 1)


def test_an_adding_told_after_its_end_is_history_only() -> None:  # C5
    _, changes = told([Fact("customer_left", 20), Fact("full", 10)])
    assert changes == [Change.ENDED, Change.LATE]


def test_a_relation_read_before_its_event_came_is_still_added_by_the_event() -> None:  # C5 W1
    known, changes = told([Fact("seen", 9), Fact("full", 10)])
    assert changes == [Change.LATE, Change.ADDED]
    assert getattr(fold(known), "nth", 0) == 1  # one adding, so she is new
    known, changes = told([Fact("seen", 9), Fact("full", 1_000_000)])
    assert changes == [Change.LATE, Change.ADDED]
    assert getattr(fold(known), "nth", 0) == 2  # friends anew, the end between was never told
    known, changes = told([Fact("half", 10), Fact("seen", 10), Fact("full", 90)])
    assert changes == [Change.ADDED, Change.COMPLETED, Change.SAME]
    relation = fold(known)
    assert relation is not None
    assert relation.addings == 1
