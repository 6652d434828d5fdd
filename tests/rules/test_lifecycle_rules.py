"""Stages by rule: what a buyer is between her orders, and when her silence changes that."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tags.lifecycle.rules import Bounds, Buyer, stage

NOW = datetime(2026, 11, 24, 4, tzinfo=UTC)
BOUNDS = Bounds(at_risk_days=90, lapsed_days=180, loyal_orders=4)


@pytest.mark.parametrize(
    ("orders", "last", "before", "name", "due_in"),
    [
        (1, 0, None, "first_buyer", 90), (2, 10, 40, "repeat", 80), (4, 10, 40, "loyal", 80),
        (1, 89, None, "first_buyer", 1), (1, 90, None, "at_risk", 90), (9, 179, 200, "at_risk", 1),
        (9, 180, 200, "lapsed", None), (1, 800, None, "lapsed", None),
        (2, 10, 190, "won_back", 80), (9, 10, 189, "loyal", 80), (2, 95, 300, "at_risk", 85),
    ],
)  # fmt: skip
def test_orders_and_silence_make_the_stage(
    orders: int, last: int, before: int | None, name: str, due_in: int | None
) -> None:  # T6
    before_at = None if before is None else NOW - timedelta(days=before)
    found, due_at = stage(Buyer(orders, NOW - timedelta(days=last), before_at), BOUNDS, NOW)
    assert found == name
    assert due_at == (None if due_in is None else NOW + timedelta(days=due_in))


@given(orders=st.integers(1, 9), last=st.integers(0, 400), gap=st.none() | st.integers(0, 400))
def test_nothing_changes_before_the_moment_named_and_something_does_at_it(
    orders: int, last: int, gap: int | None
) -> None:  # T6
    last_at = NOW - timedelta(hours=last * 24 + 5)
    buyer = Buyer(orders, last_at, None if gap is None else last_at - timedelta(days=gap))
    name, due_at = stage(buyer, BOUNDS, NOW)
    if due_at is None:
        assert stage(buyer, BOUNDS, NOW + timedelta(days=3650))[0] == name
    else:
        assert stage(buyer, BOUNDS, due_at - timedelta(microseconds=1))[0] == name
        assert stage(buyer, BOUNDS, due_at)[0] != name
