"""What custom fields do when two customers become one, and when they are parted (C2)."""

from sqlalchemy.orm import Session

from bot.core.events import on
from tags.fields import service
from tags.people.events import CustomersMerged, MergeUndone


@on(CustomersMerged)
def merged(session: Session, event: CustomersMerged) -> None:
    assert event.customer_id is not None
    service.join(session, event.from_id, event.customer_id)


@on(MergeUndone)
def parted(session: Session, event: MergeUndone) -> None:
    assert event.customer_id is not None
    service.part(session, event.from_id, event.customer_id)
