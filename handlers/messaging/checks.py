"""Invariants of messaging."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.checks import check
from bot.wecom.outbox import OutboxRow
from handlers.messaging.models import Delivery


@check("messaging: what is under way to her is under way in the outbox")
def under_way(session: Session) -> Iterator[str]:
    settled = OutboxRow.state.in_(["sent", "refused"])
    stuck = select(Delivery.id, OutboxRow.id).join(OutboxRow, OutboxRow.id == Delivery.outbox_id).where(settled)
    for delivery_id, row_id in session.execute(stuck):
        yield f"delivery {delivery_id} waits for message {row_id}, which has been settled"


@check("messaging: a delivery has an outcome exactly when it is done")
def outcomes(session: Session) -> Iterator[str]:
    odd = Delivery.done_at.is_(None) != Delivery.outcome.is_(None)
    for delivery_id in session.scalars(select(Delivery.id).where(odd)):
        yield f"delivery {delivery_id} is done without an outcome, or has one before"
