"""Defining fields, and setting what customers have in them (C6)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Fault, Unacceptable
from bot.core.sets import document, rows, run
from bot.operators.audit import record_audit
from tags.conditions.kept import check_unused
from tags.fields import rules
from tags.fields.errors import ChoiceTaken, NoField, Taken
from tags.fields.models import CustomField, FieldValue
from tags.people import fields as people_fields
from tags.people import service as people
from tags.people.models import Customer

KEPT = timedelta(days=30)  # how long a deleted field can be brought back
MOST_FIELDS = 200
NO_CHOICE = _l("选项字段至少要有一个选项，别的字段没有选项")

SET = f"""
WITH given AS MATERIALIZED (SELECT * FROM {rows("given", "c bigint, f bigint, t text, n numeric, d date")}),
gone AS (
    DELETE FROM field_values v USING given g
    WHERE v.customer_id = g.c AND v.field_id = g.f AND num_nonnulls(g.t, g.n, g.d) = 0
    RETURNING v.customer_id, v.field_id
), kept AS (
    INSERT INTO field_values AS v (customer_id, field_id, text, number, day, at)
    SELECT c, f, t, n, d, %(at)s FROM given WHERE num_nonnulls(t, n, d) = 1 ORDER BY c, f
    ON CONFLICT (customer_id, field_id) DO UPDATE
    SET text = excluded.text, number = excluded.number, day = excluded.day, copied_from = NULL, at = excluded.at
    WHERE (v.text, v.number, v.day) IS DISTINCT FROM (excluded.text, excluded.number, excluded.day)
    RETURNING v.customer_id, v.field_id
) SELECT * FROM gone UNION ALL SELECT * FROM kept
"""  # noqa: S608  # names are ours
COPY = """
INSERT INTO field_values (customer_id, field_id, text, number, day, copied_from, at)
SELECT %(into)s, field_id, text, number, day, coalesce(copied_from, customer_id), at
FROM field_values WHERE customer_id = %(source)s ON CONFLICT DO NOTHING
"""


@dataclass(frozen=True)
class Setting:
    """What one customer (a survivor) is to have in one field; None takes it away."""

    customer_id: int
    field_id: int
    value: rules.Value | None


def create(session: Session, key: str, name: str, kind: rules.Type, choices: Sequence[str] = ()) -> CustomField:
    """Define a field; choices: of a choice, at least one. Raises Taken (409), Unacceptable (422)."""
    if key in people_fields.OURS:
        raise Unacceptable.at("/key", f"every customer has a field {key} already")
    if (kind == "choice") != bool(choices):
        raise Unacceptable.at("/choices", "expected choices for the type choice, and for no other", NO_CHOICE)
    if len(all_fields(session)) >= MOST_FIELDS:
        words = _l("最多 %(most)s 个字段", most=MOST_FIELDS)
        raise Unacceptable.at("", f"there are {MOST_FIELDS} fields, which is as many as there can be", words)
    _check_free(session, key=key, name=name)
    made = CustomField(
        key=key, name=name, type=kind, choices=list(dict.fromkeys(choices)), created_at=clock.now(),
        created_by=session.info["actor"],
    )  # fmt: skip
    session.add(made)
    session.flush()
    record_audit(session, "field.created", f"field:{made.id}", after=_facts(made))
    return made


def change(
    session: Session, field_id: int, name: str | None = None, choices: Sequence[str] | None = None
) -> CustomField:
    """Rename a field, or change what it offers; a choice that customers have stays.

    Raises NoField, Taken and ChoiceTaken (409), Unacceptable (422).
    """
    field = of_id(session, field_id)
    before = _facts(field)
    if name is not None and name != field.name:
        _check_free(session, name=name)
        field.name = name
    if choices is not None and list(choices) != field.choices:
        if field.type != "choice" or not choices:
            raise Unacceptable.at("/choices", "expected at least one choice, of a field of the type choice", NO_CHOICE)
        _check_unused(session, field, set(field.choices) - set(choices))
        field.choices = list(dict.fromkeys(choices))
    if _facts(field) != before:
        record_audit(session, "field.changed", f"field:{field.id}", before, _facts(field))
    return field


def remove(session: Session, field_id: int) -> None:
    """Delete a field; its values are kept for `KEPT`. Raises NoField, InUse (409)."""
    field = of_id(session, field_id)
    check_unused(session, "field", field.key, f"the field {field.key}")
    field.deleted_at = clock.now()
    record_audit(session, "field.deleted", f"field:{field.id}", before=_facts(field))


def restore(session: Session, field_id: int) -> CustomField:
    """Bring a deleted field back with its values. Raises NoField once it was purged, Taken (409)."""
    found = select(CustomField).where(CustomField.id == field_id, CustomField.purged_at.is_(None)).with_for_update()
    field = session.scalar(found)
    if field is None:
        raise NoField(field_id)
    if field.deleted_at is not None:
        _check_free(session, key=field.key, name=field.name)
        field.deleted_at = None
        record_audit(session, "field.restored", f"field:{field.id}", after=_facts(field))
    return field


def purge(session: Session) -> int:
    """Let the values of fields deleted longer than `KEPT` ago go for good; how many fields."""
    due = select(CustomField).where(CustomField.purged_at.is_(None), CustomField.deleted_at <= clock.now() - KEPT)
    found = session.scalars(due.order_by(CustomField.id).with_for_update()).all()
    for field in found:
        session.execute(delete(FieldValue).where(FieldValue.field_id == field.id))
        field.purged_at = clock.now()
    return len(found)


def set_values(session: Session, settings: Sequence[Setting]) -> set[tuple[int, int]]:
    """Set many values by one statement; the (customer_id, field_id) whose value is another than before.

    Of several for one customer and field the last counts. Values are as `rules` makes them; the customers are locked or
    nobody else's yet. Nothing is announced: who sets one by hand goes through `write`, an import is audited as a whole.
    """
    last = {(one.customer_id, one.field_id): one.value for one in settings}
    given = [
        {"c": customer_id, "f": field_id, _column(value): value if isinstance(value, str) else str(value)}
        if value is not None else {"c": customer_id, "f": field_id}
        for (customer_id, field_id), value in last.items()
    ]  # fmt: skip
    return {(c, f) for c, f in run(session, SET, given=document(given), at=clock.now())} if given else set()


def write(
    session: Session, customer_id: int, values: Mapping[str, Any]
) -> tuple[people_fields.Values, people_fields.Values]:
    """Set a locked customer's fields by key, as JSON, None taking one away; what changed, before and after.

    Raises Unacceptable with a pointer to each bad one.
    """
    known = {field.key: field for field in all_fields(session)}
    settings, faults = {}, []
    for key, given in values.items():
        try:
            field = known[key]
            value = None if given is None else rules.of_json(field.type, field.choices, given)  # type: ignore[arg-type]
            settings[key] = Setting(customer_id, field.id, value)
        except KeyError:
            faults.append(Fault(f"/fields/{key}", f"there is no field {key}"))
        except ValueError as error:
            faults.append(Fault(f"/fields/{key}", f"{error}; found {given}"))
    if faults:
        raise Unacceptable(f"{faults[0].pointer}: {faults[0].detail}", tuple(faults))
    was = values_of(session, [customer_id]).get(customer_id, {})
    changed = {field_id for _, field_id in set_values(session, list(settings.values()))}
    names = [key for key in settings if known[key].id in changed]
    now = values_of(session, [customer_id]).get(customer_id, {})
    return {key: was.get(key) for key in names}, {key: now.get(key) for key in names}


def values_of(session: Session, customer_ids: Sequence[int]) -> dict[int, dict[str, str | int | float]]:
    """The values of these customers (survivors) by key, as JSON; those without any are not in it."""
    query = select(FieldValue, CustomField.key).join(CustomField, CustomField.id == FieldValue.field_id)
    hers = query.where(FieldValue.customer_id.in_(customer_ids), CustomField.deleted_at.is_(None))
    found: dict[int, dict[str, str | int | float]] = {}
    for row, key in session.execute(hers.order_by(FieldValue.field_id)):
        value = next(one for one in (row.text, row.number, row.day) if one is not None)
        found.setdefault(row.customer_id, {})[key] = rules.as_json(value)
    return found


def all_fields(session: Session) -> list[CustomField]:
    """Every field that is not deleted, oldest first."""
    return list(session.scalars(select(CustomField).where(CustomField.deleted_at.is_(None)).order_by(CustomField.id)))


def deleted(session: Session) -> list[CustomField]:
    """The fields that can be brought back, the last deleted first."""
    query = select(CustomField).where(CustomField.deleted_at.is_not(None), CustomField.purged_at.is_(None))
    return list(session.scalars(query.order_by(CustomField.deleted_at.desc())))


def of_id(session: Session, field_id: int) -> CustomField:
    """A field that is not deleted, locked. Raises NoField."""
    query = select(CustomField).where(CustomField.id == field_id, CustomField.deleted_at.is_(None))
    field = session.scalar(query.with_for_update())
    if field is None:
        raise NoField(field_id)
    return field


def of_key(session: Session, key: str) -> CustomField | None:
    """The field of this key."""
    return session.scalar(select(CustomField).where(CustomField.key == key, CustomField.deleted_at.is_(None)))


def counts(session: Session) -> dict[int, int]:
    """How many customers have a value in each field, those merged into others not counted."""
    counted = select(FieldValue.field_id, func.count()).join(Customer, Customer.id == FieldValue.customer_id)
    alone = counted.where(Customer.merged_into.is_(None)).group_by(FieldValue.field_id)
    return dict(session.execute(alone).all())


def join(session: Session, from_id: int, into_id: int) -> None:
    """Give the survivor of a merge the values she lacks; the merged one keeps hers."""
    run(session, COPY, source=from_id, into=into_id)


def part(session: Session, from_id: int, into_id: int) -> None:
    """Take back from the survivor what came from the one who stands on her own again, or from those merged into her."""
    theirs = FieldValue.copied_from.in_(people.family(session, from_id))
    session.execute(delete(FieldValue).where(FieldValue.customer_id == into_id, theirs))


def _column(value: rules.Value) -> str:
    return "t" if isinstance(value, str) else "n" if isinstance(value, Decimal) else "d"


def _check_free(session: Session, **wanted: str) -> None:
    for what, value in wanted.items():
        column = getattr(CustomField, what)
        if session.scalar(select(CustomField.id).where(column == value, CustomField.deleted_at.is_(None))) is not None:
            raise Taken(what, value)


def _check_unused(session: Session, field: CustomField, leaving: set[str]) -> None:
    having = select(FieldValue.text).where(FieldValue.field_id == field.id, FieldValue.text.in_(leaving))
    taken = session.scalar(having.limit(1))
    if taken is not None:
        raise ChoiceTaken(f"customers have the choice {taken} of the field {field.key}")


def _facts(field: CustomField) -> dict[str, Any]:
    return {"key": field.key, "name": field.name, "type": field.type, "choices": field.choices}
