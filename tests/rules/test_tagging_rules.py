"""Whose change it is when here and WeCom differ (T2): in sets, against T2 read tag by tag."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from tags.tagging.rules import members_change, members_is_later, to_push

SETS = st.sets(st.sampled_from("abcdef"))


@given(read=SETS, known=SETS, under_way=SETS)
def test_only_what_differs_from_what_wecom_was_known_to_have_is_the_members(
    read: set[str], known: set[str], under_way: set[str]
) -> None:  # T2
    change = members_change(read, known, under_way)
    for tag in "abcdef":
        silent = tag in under_way
        assert (tag in change.add) == (tag in read and tag not in known and not silent)
        assert (tag in change.remove) == (tag not in read and tag in known and not silent)


@given(wanted=SETS, known=SETS)
def test_a_push_that_waits_is_never_taken_for_a_removal(wanted: set[str], known: set[str]) -> None:
    # T2: WeCom still has what it was known to have, whatever is wanted here
    assert not members_change(known, known, set())
    assert wanted - known <= to_push(wanted, known).add
    assert not members_change(known, known, wanted).remove


@given(wanted=SETS, known=SETS, mentioned=SETS, done=st.booleans())
def test_after_a_push_wecom_has_what_she_has_whether_the_lost_one_was_done_or_not(
    wanted: set[str], known: set[str], mentioned: set[str], done: bool
) -> None:  # T2 G5
    there = (known | mentioned) if done else known
    step = to_push(wanted, known, mentioned)
    assert (there | step.add) - step.remove == wanted


def test_the_later_change_wins_and_within_a_second_the_members() -> None:  # T2
    at = datetime(2026, 11, 24, 10, 0, 0, tzinfo=UTC)  # CreateTime: 10:00:00.0 to 10:00:00.999…
    assert members_is_later(at, None)
    assert members_is_later(at, at - timedelta(seconds=1))
    assert members_is_later(at, at + timedelta(milliseconds=999))
    assert not members_is_later(at, at + timedelta(seconds=1))
