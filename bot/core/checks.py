"""Invariants, recomputed from the records: what `fugou verify` and the nightly run look at.

@check("points: every ledger transaction sums to 0")
def balanced(session: Session) -> Iterable[str]: ...       # a sentence for each difference
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.core.feature import Register

Run = Callable[[Session], Iterable[str]]


@dataclass(frozen=True)
class Check:
    """One invariant: its name, and the function that finds what differs."""

    name: str
    run: Run


checks: Register[Check] = Register("checks")


def check(name: str) -> Callable[[Run], Run]:
    """Mark a function that yields a sentence for each place where the invariant `name` does not hold."""
    return lambda function: checks.mark(function, Check(name, function))
