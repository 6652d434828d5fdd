"""Invariants of RFM."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.checks import check
from tags.orders.checks import kept_of_buyers
from tags.rfm.models import Run
from tags.rfm.service import GROUP
from tags.tagging import computed


@check("rfm: whoever has an order that counts is scored once there were edges, nobody else")
def scored(session: Session) -> Iterable[str]:
    if session.scalar(select(Run.id).limit(1)) is None:
        return ()
    return kept_of_buyers(session, "SELECT customer_id FROM rfm_scores WHERE named <> ''", "scores")


@check("rfm: the computed tag is the one that was written")
def tagged(session: Session) -> Iterable[str]:
    return computed.differing(session, GROUP, "SELECT customer_id, tagged FROM rfm_scores")
