"""What becomes of a follow relation (C5, G5): a fold over the facts WeCom told, whatever their order of arrival.

WeCom's callbacks come twice, late and out of order, so a fact is never applied to a state: it is added to the facts,
and the state is what all of them say when sorted by their time. What a fact causes is the difference it makes.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto

ADDING, ENDING = ("half", "full", "seen"), ("customer_left", "staff_left", "transferred")
DRIFT_S = 60  # `createtime` of a relation that was read, against CreateTime of the event that told it: one adding


@dataclass(frozen=True)
class Fact:
    """kind: half, full (told by events), seen (read through the API), customer_left, staff_left, transferred.

    at: unix seconds (CreateTime, `createtime`). code: the welcome code, which tells two addings of one second apart.
    """

    kind: str
    at: int
    code: str = ""


@dataclass(frozen=True)
class Relation:
    """status: active or how it ended. added_at, ended_at: unix seconds of the current or last adding and its end.

    half: the member has not added her back. full_at: of the event that says he has. told: an event told this adding
    (not only a reading). addings: how many addings events told in all; ends: how many ends took effect. nth: which
    adding of this relation the current or last one is, those only read or only told by their end included.
    """

    status: str
    added_at: int
    ended_at: int | None = None
    half: bool = False
    full_at: int | None = None
    told: bool = False
    addings: int = 0
    ends: int = 0
    nth: int = 1

    @property
    def active(self) -> bool:
        return self.status == "active"


class Change(Enum):
    """What a fact changed.

    ADDED: a new adding that stands. COMPLETED: the member added her back. ENDED: the standing relation ended.
    LATE: part of the history, changes nothing that events should follow. SAME: nothing new.
    """

    ADDED = auto()
    COMPLETED = auto()
    ENDED = auto()
    LATE = auto()
    SAME = auto()


def fold(facts: Sequence[Fact]) -> Relation | None:
    """What the facts say together: by time, those of one second in the order given; None without facts."""
    relation: Relation | None = None
    for fact in sorted(facts, key=lambda one: one.at):
        relation = _end(relation, fact) if fact.kind in ENDING else _add(relation, fact)
    return relation


def with_fact(facts: Sequence[Fact], fact: Fact) -> tuple[list[Fact], Relation, Change]:
    """The facts with a new one, the relation they now say, and what the new one changed. Known facts change nothing."""
    before = fold(facts)
    grown = [*facts] if fact in facts else [*facts, fact]
    after = fold(grown)
    assert after is not None
    return grown, after, _change(before, after, fact)


def _add(relation: Relation | None, fact: Fact) -> Relation:
    told = fact.kind != "seen"
    half = fact.kind == "half"
    begun = Relation(
        "active", fact.at, half=half, full_at=fact.at if fact.kind == "full" else None, told=told,
        addings=(relation.addings if relation else 0) + told, ends=relation.ends if relation else 0,
        nth=relation.nth + 1 if relation else 1,
    )  # fmt: skip
    if relation is None or not relation.active:
        return begun
    if not told:  # the API lists no half relation
        return replace(relation, half=False)
    if not relation.told and fact.at - relation.added_at > DRIFT_S:
        return begun
    if relation.full_at not in (None, fact.at):
        return begun  # friends anew: the end between was never told
    return replace(
        relation, told=True, addings=relation.addings + (not relation.told),
        half=relation.half and half, full_at=relation.full_at if half else fact.at,
    )  # fmt: skip


def _end(relation: Relation | None, fact: Fact) -> Relation:
    if relation is None:
        return Relation(fact.kind, fact.at, ended_at=fact.at, ends=1)
    if not relation.active:
        return relation
    return replace(relation, status=fact.kind, ended_at=fact.at, ends=relation.ends + 1)


def _change(before: Relation | None, after: Relation, fact: Fact) -> Change:
    more_addings = after.addings > (before.addings if before else 0)
    if fact.kind in ENDING:
        if not after.active and (before is None or before.active):
            return Change.ENDED
        return Change.LATE if before and after.ends > before.ends else Change.SAME
    stood = before is not None and before.active
    if fact.kind == "seen":
        if after.active and not stood:
            return Change.LATE
        return Change.COMPLETED if before and before.half and not after.half else Change.SAME
    if more_addings:
        anew = before is None or not before.active or not before.told or after.added_at > before.added_at
        return Change.ADDED if after.active and anew else Change.LATE
    return Change.COMPLETED if before and before.half and not after.half and after.active else Change.SAME
