"""Matching: a lead who becomes a contact, by whatever made her known, is done (C8, C2)."""

from sqlalchemy.orm import Session

from bot.core.events import on
from handlers.leads import service
from tags.people.events import ContactAdded, CustomersMerged, MergeUndone


@on(ContactAdded)
def added(session: Session, event: ContactAdded) -> None:
    assert event.customer_id is not None
    service.came(session, event.customer_id, event.userid)


@on(CustomersMerged)
def merged(session: Session, event: CustomersMerged) -> None:
    assert event.customer_id is not None
    service.settle(session, event.customer_id)


@on(MergeUndone)
def parted(session: Session, event: MergeUndone) -> None:
    assert event.customer_id is not None
    service.settle(session, event.from_id)
    service.settle(session, event.customer_id)
