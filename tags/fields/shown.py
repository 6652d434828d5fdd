"""Custom fields in what others show and ask: the customer's object and its changes, conditions, the timeline."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, aliased

from bot.core.i18n import say
from bot.operators.called import called, numbers
from tags.conditions.tree import Asked
from tags.fields import service
from tags.fields.models import CustomField, FieldValue
from tags.people.cards import facet
from tags.people.fields import TEXT_WAYS, Askable, Tied, Values, finds_field, lists_fields, writes_fields

WAYS = {
    "text": TEXT_WAYS, "choice": TEXT_WAYS, "number": ("number", "exists"),
    "date": ("within_days", "older_than_days", "month", "exists"),
}  # fmt: skip
COLUMNS = {"text": "text", "choice": "text", "number": "number", "date": "day"}


@finds_field
def own(session: Session, key: str) -> Askable | None:
    field = service.of_key(session, key)
    if field is None:
        return None
    field_id, name, column = field.id, field.name, COLUMNS[field.type]

    def known(asked: Asked) -> Tied:
        hers = aliased(FieldValue)
        return getattr(hers, column), (hers.customer_id == asked.who, hers.field_id == field_id)

    return Askable(lambda lang: name, WAYS[field.type], known, tuple(field.choices))


@lists_fields
def keys(session: Session) -> list[str]:
    return [field.key for field in service.all_fields(session)]


@writes_fields
def write(session: Session, customer_id: int, values: Mapping[str, Any]) -> tuple[Values, Values]:
    return service.write(session, customer_id, values)


@facet("fields")
def values(session: Session, customer_ids: Sequence[int]) -> Mapping[int, Any]:
    return service.values_of(session, customer_ids)


@called("field")
def names(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    """Fields by id, as the audit names them, and by key, as the timeline does; of one key the newest counts."""
    which = CustomField.id.in_(numbers(ids)) | CustomField.key.in_(ids)
    columns = select(CustomField.id, CustomField.key, CustomField.name)
    rows = session.execute(columns.where(which).order_by(CustomField.id)).all()
    by_key = {key: name for _, key, name in rows}
    return by_key | {str(its_id): say(lang, "字段「%(name)s」", name=name) for its_id, _, name in rows}
