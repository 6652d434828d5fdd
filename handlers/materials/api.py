"""`/materials`: upload a file, list what is there."""

from typing import Annotated, Literal

from flask import Response, request
from flask_openapi3.models.file import FileStorage
from pydantic import BeforeValidator, Field

from bot.web.api import Answer, Body, ById, Listing, Moment, Paging, answers, reply, resource
from bot.web.cursors import page
from bot.web.edge import session
from bot.web.guard import needs
from handlers.materials import service
from handlers.materials.models import Material

api = resource(__name__, "materials")

Kind = Literal["image", "video", "file"]


def _as_sent(value: object) -> object:
    """flask-openapi3 reads a form's fields as JSON where they are some; a material named 2026 has that name."""
    return request.form.get("name", value)


class Upload(Body):
    """A file and what it is called here; what it is, its content says."""

    file: FileStorage
    name: Annotated[str, Field(min_length=1, max_length=100), BeforeValidator(_as_sent)]


class MaterialAnswer(Answer):
    """size in bytes. refused: why WeCom does not take it, empty otherwise."""

    id: str
    type: Kind
    name: str
    size: int
    created_at: Moment
    refused: str


class MaterialsQuery(Paging):
    """Query of the list."""

    type: Kind | None = None


@api.post("/materials", responses=answers(MaterialAnswer, 201))
@needs("materials:write")
def upload_material(form: Upload) -> Response:
    """Keep a file: JPEG or PNG up to 10 MB, MP4 up to 10 MB, any other up to 20 MB."""
    made = service.add(session(), form.name, form.file.filename or "", form.file.read())
    return reply(_answer(made), 201)


@api.get("/materials", responses=answers(Listing[MaterialAnswer]))
@needs("materials:read")
def list_materials(query: MaterialsQuery) -> Response:
    """All materials, newest first."""
    wanted = service.listing(query.type)
    rows, following = page(session(), wanted, [Material.__table__.c.id], query.limit, query.cursor, desc=True)
    return reply(Listing[MaterialAnswer](data=[_answer(row) for row in rows], next_cursor=following))


@api.get("/materials/<id>", responses=answers(MaterialAnswer))
@needs("materials:read")
def get_material(path: ById) -> Response:
    """One material."""
    return reply(_answer(service.get(session(), path.number)))


@api.delete("/materials/<id>", responses=answers(None, 204))
@needs("materials:write")
def delete_material(path: ById) -> Response:
    """Delete a material; 409 while a rule, a code or a waiting message has it."""
    service.delete(session(), path.number)
    return reply(None)


def _answer(row: Material) -> MaterialAnswer:
    return MaterialAnswer.model_validate({
        "id": str(row.id), "type": row.kind, "name": row.name, "size": row.size, "created_at": row.created_at,
        "refused": row.refused,
    })  # fmt: skip
