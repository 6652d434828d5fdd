"""What is known of a customer, changed by hand or by the shop's API (C3)."""

from dataclasses import dataclass
from dataclasses import field as defaulted
from datetime import date
from typing import Any

from sqlalchemy.orm import Session

from bot.core.events import announce
from bot.operators.audit import record_audit
from tags.people import fields as own_fields
from tags.people import service
from tags.people.events import CustomerChanged
from tags.people.identify import identify
from tags.people.names import name_key


@dataclass(frozen=True)
class Changes:
    """What to set; a field that is not named stays. phone: E.164, verified by whoever says so (C2).

    own: fields that the brand defined, by key, as JSON; None takes a value away (C6).
    """

    fields: dict[str, Any]
    phone: str | None = None
    own: dict[str, Any] = defaulted(default_factory=dict)


def change(session: Session, customer_id: int, changes: Changes) -> int:
    """Set profile fields and phone, announce CustomerChanged if anything changed; returns the survivor's id.

    A phone that is another customer's joins the two. Locks her (and the other). Raises NotFound, TwoPeople (409),
    Unacceptable (422) for a field that is not there, or a value it can't have.
    """
    hers = service.survivor(session, customer_id)
    if changes.phone is not None:
        hers = identify(session, hers, "phone", changes.phone, source="api")
    customer = service.lock(session, hers)[0]
    before = {field: getattr(customer, field) for field in changes.fields}
    differing = {field: value for field, value in changes.fields.items() if value != before[field]}
    for field, value in differing.items():
        setattr(customer, field, value)
    if "name" in differing:
        customer.name_key = name_key(customer.name)
    own_was, own_now = own_fields.write(session, hers, changes.own)
    changed = [*sorted(differing), *(["phone"] if changes.phone is not None else []), *own_now]
    if changed:
        was, now = ({field: _json(values[field]) for field in differing} for values in (before, differing))
        record_audit(session, CustomerChanged.name, f"customer:{hers}", was | own_was, now | own_now)
        announce(session, CustomerChanged(customer_id=hers, fields=changed))
    return hers


def _json(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
