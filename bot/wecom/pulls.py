"""Full pulls from WeCom, which `fugou sync` runs: what must be known before the first callback, or after lost ones.

    @pulls("corp tags", rank=10)
    def corp_tags(installation: Installation, wecom: WeCom, report: Report) -> int: ...    # how many it took in

A pull keeps its place in the database after each page, so that a run that was broken off goes on there, and holds no
connection while WeCom is asked. Taking in the same thing twice changes nothing.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.core.feature import Register
from bot.core.installation import Installation
from bot.wecom.client import WeCom

Report = Callable[[int, int | None], None]  # (done, total or None where WeCom does not say)
Run = Callable[[Installation, WeCom, Report], int]


@dataclass(frozen=True)
class Pull:
    """rank: lower ones first, whatever the order of features: members, tags, contacts, group chats."""

    name: str
    rank: int
    run: Run


registered: Register[Pull] = Register("pulls")


def pulls(name: str, *, rank: int) -> Callable[[Run], Run]:
    """Mark a function as a full pull."""
    return lambda function: registered.mark(function, Pull(name, rank, function))


def in_order() -> Iterator[Pull]:
    """All pulls, in the order in which they build on each other."""
    yield from sorted(registered, key=lambda pull: pull.rank)
