"""RFM scores against their definition, and against the published counts of CDNOW."""

import csv
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tags.rfm import rules

CDNOW = Path(__file__).parents[1] / "data" / "cdnow_sample.csv"  # 1/10 of the cohort: customer, day, cents
COUNTS = {  # oracles.md: to 1998-06-30, days of one customer merged
    "r": {1: 482, 2: 471, 3: 463, 4: 470, 5: 471},
    "f": {1: 1218, 3: 403, 4: 358, 5: 378},
    "m": {1: 481, 2: 461, 3: 473, 4: 470, 5: 472},
}


def test_the_scores_of_cdnow_are_the_published_ones() -> None:  # T5
    days, spent = defaultdict(set), Counter[str]()
    with CDNOW.open() as file:
        for row in csv.DictReader(file):
            days[row["customer"]].add(int(row["day"]))
            spent[row["customer"]] += int(row["fen"])
    values = {"r": [max(hers) for hers in days.values()], "f": [len(hers) for hers in days.values()],
              "m": [spent[customer] for customer in days]}  # fmt: skip
    for measure, numbers in values.items():
        column = np.array(numbers)
        found = rules.scores(column, rules.edges(column))
        assert Counter(found.tolist()) == COUNTS[measure]


@given(values=st.lists(st.integers(-5, 5) | st.integers(-(2**62), 2**62), max_size=60))
def test_a_score_is_a_fifth_of_the_rank_and_equal_values_take_the_lowest(values: list[int]) -> None:  # T5
    column = np.array(values, np.int64)
    between = rules.edges(column)
    ranks = [1 + sum(other < value for other in values) for value in values]
    expected = [-(-5 * rank // len(values)) for rank in ranks]
    assert rules.scores(column, between).tolist() == expected
    assert [rules.score(value, between) for value in values] == expected


@pytest.mark.parametrize(
    ("cell", "name"),
    [
        ((5, 5, 5), "重要价值"), ((4, 3, 4), "重要发展"), ((3, 4, 5), "重要保持"), ((1, 1, 5), "重要挽留"),
        ((5, 4, 3), "一般价值"), ((4, 1, 1), "一般发展"), ((3, 5, 3), "一般保持"), ((1, 1, 1), "一般挽留"),
    ],
)  # fmt: skip
def test_which_of_the_three_are_high_makes_the_class(cell: tuple[int, int, int], name: str) -> None:  # T5
    assert rules.named(cell, (4, 4, 4)) == name
