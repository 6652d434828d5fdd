"""Who is next. Pure."""

from collections.abc import Iterator, Mapping, Sequence


def in_turns(members: Sequence[str], free: Mapping[str, int]) -> Iterator[str]:
    """The members one after another, each as often as he is free, so that nobody gets a second before all had one.

    Raises ValueError for a member who is free a negative number of times.
    """
    if any(free[one] < 0 for one in members):
        raise ValueError("free is negative, expected 0 or more")
    for turn in range(max((free[one] for one in members), default=0)):
        yield from (one for one in members if free[one] > turn)
