"""What differs between what she has here and what WeCom has on a relation, and whose change that is (T2)."""

from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime, timedelta

SECOND = timedelta(seconds=1)  # CreateTime is cut to the second: within it the member's change counts as the later


@dataclass(frozen=True)
class Step:
    """Tags to put on and to take off."""

    add: frozenset[str]
    remove: frozenset[str]

    def __bool__(self) -> bool:
        return bool(self.add or self.remove)


def members_change(read: AbstractSet[str], known: AbstractSet[str], under_way: AbstractSet[str]) -> Step:
    """What a member changed: the difference between what was read and what WeCom was known to have.

    A push that still waits is in neither; tags of a push under way (sent, not answered) may be in either, so they say
    nothing.
    """
    return Step(frozenset(read - known - under_way), frozenset(known - read - under_way))


def to_push(wanted: AbstractSet[str], known: AbstractSet[str], mentioned: AbstractSet[str] = frozenset()) -> Step:
    """What WeCom must be told so that it has what she has here.

    mentioned: tags of a push that is waiting and may have been done half: they are told again either way.
    """
    return Step(frozenset(wanted - known) | (mentioned & wanted), frozenset(known - wanted) | (mentioned - wanted))


def members_is_later(at: datetime, ours: datetime | None) -> bool:
    """Whether a member's change at `at` (whole seconds) beats a change of ours; the later one wins."""
    return ours is None or ours < at + SECOND
