"""Fen are integers and their shares add up (G1, P4)."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.money import allocate, yuan

weights = st.lists(st.integers(0, 10**9), min_size=1, max_size=20).filter(any)


def test_fen_are_written_as_people_write_yuan() -> None:  # G1
    assert [yuan(fen) for fen in (0, 5, 123450, -500)] == ["¥0.00", "¥0.05", "¥1,234.50", "−¥5.00"]


@given(st.integers(0, 10**12), weights)
def test_shares_sum_to_the_whole_and_are_off_by_less_than_a_fen(total: int, weights: list[int]) -> None:  # P4
    shares = allocate(total, weights)
    assert sum(shares) == total
    for share, weight in zip(shares, weights, strict=True):
        assert abs(share - Fraction(total * weight, sum(weights))) < 1


def test_the_odd_fen_goes_to_the_largest_remainder() -> None:  # P4
    assert allocate(100, [1, 1, 1]) == [34, 33, 33]
    assert allocate(100, [1, 2]) == [33, 67]


def test_no_weight_is_refused() -> None:
    with pytest.raises(ValueError, match="expected none negative and one positive"):
        allocate(1, [0, 0])
