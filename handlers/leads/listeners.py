"""Matching: a lead who becomes a contact, by whatever made her known, is done (C8, C2)."""

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot.core.events import on
from handlers.leads import service
from tags.people.events import ContactAdded, CustomersMerged, MergeUndone
from tags.people.models import Contact


@on(ContactAdded)
def added(session: Session, event: ContactAdded) -> None:
    assert event.customer_id is not None
    service.came(session, event.customer_id, event.userid)


@on(CustomersMerged)
def merged(session: Session, event: CustomersMerged) -> None:
    assert event.customer_id is not None
    met = session.scalar(select(exists().where(Contact.customer_id == event.customer_id)))
    service.merged(session, event.from_id, event.customer_id, met=bool(met))


@on(MergeUndone)
def parted(session: Session, event: MergeUndone) -> None:
    service.parted(session, event.from_id)
