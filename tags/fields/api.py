"""Custom fields over REST: defined, renamed, deleted, brought back. Values go through `PATCH /customers/{id}`."""

from collections.abc import Sequence
from typing import Annotated

from flask import Response
from pydantic import Field

from bot.web import edge
from bot.web.api import ABSENT, Answer, Body, ById, Moment, answers, reply, resource, words
from bot.web.guard import needs
from tags.conditions.kept import usage
from tags.fields import rules, service
from tags.fields.models import CustomField

api = resource(__name__, "custom-fields")

Key = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$", description="how machines name it")]
Name = Annotated[str, words(30)]
Choices = Annotated[list[Annotated[str, words(60)]], Field(max_length=200)]


class FieldBody(Body):
    """A field to define. choices: what may be chosen, for the type choice alone."""

    key: Key
    name: Name
    type: rules.Type
    choices: Choices = Field(default_factory=list)


class FieldChange(Body):
    """What to change; its key and type stay."""

    name: Name = ABSENT
    choices: Choices = ABSENT


class FieldAnswer(Answer):
    """A field. customers: how many have a value in it; used_by: what asks it in its conditions, as `segment:3`."""

    id: str
    key: str
    name: str
    type: rules.Type
    choices: list[str]
    customers: int
    used_by: list[str]
    deleted_at: Moment | None


class FieldsAnswer(Answer):
    """Every field; `deleted` ones can be brought back."""

    data: list[FieldAnswer]
    deleted: list[FieldAnswer]


@api.get("/custom-fields", responses=answers(FieldsAnswer))
@needs("custom-fields:read")
def list_fields() -> Response:
    """Every field, oldest first."""
    session = edge.session()
    shown = _answers([*service.all_fields(session), *service.deleted(session)])
    return reply(FieldsAnswer(
        data=[one for one in shown if one.deleted_at is None],
        deleted=[one for one in shown if one.deleted_at is not None],
    ))  # fmt: skip


@api.post("/custom-fields", responses=answers(FieldAnswer, 201))
@needs("custom-fields:write")
def post_field(body: FieldBody) -> Response:
    """Define a field."""
    return reply(_answer(service.create(edge.session(), body.key, body.name, body.type, body.choices)), 201)


@api.get("/custom-fields/<id>", responses=answers(FieldAnswer))
@needs("custom-fields:read")
def get_field(path: ById) -> Response:
    """One field."""
    return reply(_answer(service.of_id(edge.session(), path.number)))


@api.patch("/custom-fields/<id>", responses=answers(FieldAnswer))
@needs("custom-fields:write")
def patch_field(path: ById, body: FieldChange) -> Response:
    """Rename it, or change what it offers; a choice that customers have can't go (409)."""
    return reply(_answer(service.change(edge.session(), path.number, body.name, body.choices)))


@api.delete("/custom-fields/<id>", responses=answers(None, 204))
@needs("custom-fields:write")
def delete_field(path: ById) -> Response:
    """Delete it; its values are kept for 30 days. While conditions ask it, a 409 that names them."""
    service.remove(edge.session(), path.number)
    return reply(None)


@api.post("/custom-fields/<id>/restore", responses=answers(FieldAnswer))
@needs("custom-fields:write")
def restore_field(path: ById) -> Response:
    """Bring a deleted one back with its values."""
    return reply(_answer(service.restore(edge.session(), path.number)))


def _answer(field: CustomField) -> FieldAnswer:
    return _answers([field])[0]


def _answers(fields: Sequence[CustomField]) -> list[FieldAnswer]:
    session = edge.session()
    counts, users = service.counts(session), usage(session, "en")
    return [
        FieldAnswer(
            id=str(field.id), key=field.key, name=field.name, type=field.type, choices=field.choices,  # type: ignore[arg-type]
            customers=counts.get(field.id, 0), used_by=[one.thing for one in users.get(("field", field.key), [])],
            deleted_at=field.deleted_at,
        )
        for field in fields
    ]  # fmt: skip
