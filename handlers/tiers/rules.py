"""Which tier a net spend reaches (P3). Pure."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Tier:
    """From a 12-month net spend of `from_fen` on."""

    name: str
    from_fen: int


@dataclass(frozen=True)
class Standing:
    """tier: its name; spend_fen: net spend of the rolling 12 months; following: the next tier's name, None at the top.

    missing_fen: what that one still takes.
    """

    tier: str
    spend_fen: int
    following: str | None
    missing_fen: int


def standing(spend_fen: int, tiers: Sequence[Tier]) -> Standing:
    """Where a net spend stands in `tiers`, which begin at 0 and rise.

    Raises ValueError for a negative spend.
    """
    if spend_fen < 0:
        raise ValueError(f"spend_fen is {spend_fen}, expected 0 or more")
    reached = [tier for tier in tiers if spend_fen >= tier.from_fen]
    above = tiers[len(reached) :]
    missing = above[0].from_fen - spend_fen if above else 0
    return Standing(reached[-1].name, spend_fen, above[0].name if above else None, missing)
