"""What the lifecycle does when orders and merges happen."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from bot.core.events import keeps, on
from tags.lifecycle import service
from tags.orders.events import OrderPaid, OrderRefunded
from tags.people.events import ContactAdded, CustomersMerged, MergeUndone


@on(ContactAdded)
def met(session: Session, event: ContactAdded) -> None:
    assert event.customer_id is not None
    if service.is_stranger(session, event.customer_id):
        service.keep(session, [event.customer_id])


@keeps(OrderPaid)
def ordered(session: Session, events: Sequence[OrderPaid]) -> None:
    service.keep(session, sorted({event.customer_id for event in events}))


@on(OrderRefunded)
def refunded(session: Session, event: OrderRefunded) -> None:
    service.keep(session, [event.customer_id])


@on(CustomersMerged)
def merged(session: Session, event: CustomersMerged) -> None:
    assert event.customer_id is not None
    service.forget(session, event.from_id)
    service.keep(session, [event.customer_id])


@on(MergeUndone)
def parted(session: Session, event: MergeUndone) -> None:
    assert event.customer_id is not None
    service.keep(session, [event.from_id, event.customer_id])
