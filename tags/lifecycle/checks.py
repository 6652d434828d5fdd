"""Invariants of the lifecycle."""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from bot.core.checks import check
from tags.lifecycle.service import GROUP, TAGS
from tags.orders.checks import kept_of_buyers
from tags.tagging import computed

NAMES = ", ".join(f"('{stage}', '{tag}')" for stage, tag in TAGS.items())
TAGGED = f"""
SELECT customer_id, coalesce(name, '') AS tagged FROM lifecycles
LEFT JOIN (VALUES {NAMES}) AS n(stage, name) ON n.stage = lifecycles.tagged
"""  # noqa: S608  # names are ours


@check("lifecycle: whoever has an order that counts has a stage, nobody else")
def staged(session: Session) -> Iterable[str]:
    return kept_of_buyers(session, "SELECT customer_id FROM lifecycles WHERE stage <> ''", "a stage")


@check("lifecycle: the computed tag says the stage")
def tagged(session: Session) -> Iterable[str]:
    return computed.differing(session, GROUP, TAGGED)
