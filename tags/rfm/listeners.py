"""What RFM does when orders and merges happen: the customer is scored again at once."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.core.events import keeps, on
from tags.orders.events import OrderPaid, OrderRefunded
from tags.people.events import CustomersMerged, MergeUndone
from tags.rfm import jobs, service


@keeps(OrderPaid)
def ordered(session: Session, events: Sequence[OrderPaid]) -> None:
    if not service.rescore(session, {event.customer_id for event in events}):
        jobs.begin(session)


@on(OrderRefunded)
def refunded(session: Session, event: OrderRefunded) -> None:
    service.rescore(session, [event.customer_id])


@on(CustomersMerged)
def merged(session: Session, event: CustomersMerged) -> None:
    assert event.customer_id is not None
    service.forget(session, event.from_id)
    service.rescore(session, [event.customer_id])


@on(MergeUndone)
def parted(session: Session, event: MergeUndone) -> None:
    assert event.customer_id is not None
    service.rescore(session, [event.from_id, event.customer_id])
