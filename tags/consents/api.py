"""Her statements over REST; append-only."""

from typing import Annotated

from flask import Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bot.web import edge
from bot.web.api import Answer, Body, ById, Moment, Past, answers, reply, resource
from bot.web.guard import needs
from tags.consents import service
from tags.consents.models import Consent

api = resource(__name__, "consents")


class StatementBody(Body):
    """What she stated. version: of the text she was shown; at: when (default: now)."""

    purpose: service.Purpose
    state: service.State
    how: service.How = "api"
    version: Annotated[str, Field(max_length=40)] = ""
    at: Past | SkipJsonSchema[None] = None


class ConsentAnswer(Answer):
    """One statement. actor: who wrote it down."""

    purpose: service.Purpose
    state: service.State
    how: service.How
    version: str
    at: Moment
    actor: str


class ConsentsAnswer(Answer):
    """in_force: given, withdrawn or unknown, by purpose. data: every statement, newest first."""

    in_force: dict[str, str]
    data: list[ConsentAnswer]


@api.get("/customers/<id>/consents", responses=answers(ConsentsAnswer))
@needs("customers:read")
def get_consents(path: ById) -> Response:
    """What she agreed to and took back."""
    return reply(_answer(path.number))


@api.post("/customers/<id>/consents", responses=answers(ConsentsAnswer))
@needs("customers:write")
def post_consent(path: ById, body: StatementBody) -> Response:
    """Keep a statement; one that says nothing new changes nothing."""
    service.state(edge.session(), path.number, body.purpose, body.state, how=body.how, version=body.version, at=body.at)
    return reply(_answer(path.number))


def _answer(customer_id: int) -> ConsentsAnswer:
    session = edge.session()
    kept = service.history(session, customer_id)
    return ConsentsAnswer(
        in_force={one: service.in_force(session, customer_id, one) for one in service.PURPOSES},
        data=[_statement(one) for one in kept],
    )


def _statement(row: Consent) -> ConsentAnswer:
    return ConsentAnswer.model_validate(row, from_attributes=True)
