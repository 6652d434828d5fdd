"""Scores, edges and classes (T5). Pure.

With n buyers a value's score is ceil(5 × rank / n), rank 1 the smallest, equal values taking the lowest rank. So it is
above k where at least floor(k × n / 5) others are smaller: the edge is the largest of those, `LEAST` where none are
asked for.
"""

from bisect import bisect_left
from collections.abc import Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

SCORES = 5
LEAST = -(2**63)
Edges = tuple[int, int, int, int]  # rising; a value above k of them has score k + 1

# (recency, frequency, monetary): which are high; in the order in which `service` counts them
CLASSES = dict(
    zip(
        product((True, False), repeat=3),
        ("重要价值", "一般价值", "重要发展", "一般发展", "重要保持", "一般保持", "重要挽留", "一般挽留"),
        strict=True,
    )
)


def edges(values: NDArray[np.int64]) -> Edges:
    """The edges between the five scores of these values."""
    places = [k * len(values) // SCORES - 1 for k in range(1, SCORES)]
    ordered = np.partition(values, [place for place in places if place >= 0] or [0]) if len(values) else values
    first, second, third, fourth = (int(ordered[place]) if place >= 0 else LEAST for place in places)
    return first, second, third, fourth


def scores(values: NDArray[np.int64], between: Edges) -> NDArray[np.int64]:
    """The score of each value."""
    return np.searchsorted(np.array(between, np.int64), values, side="left") + 1


def score(value: int, between: Edges) -> int:
    """The score of one value."""
    return bisect_left(between, value) + 1


def named(cell: Sequence[int], high_from: Sequence[int]) -> str:
    """The class of a cell (r, f, m). high_from: the scores from which each of the three counts as high."""
    r, f, m = (mine >= start for mine, start in zip(cell, high_from, strict=True))
    return CLASSES[r, f, m]
