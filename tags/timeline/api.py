"""Her timeline over REST, oldest to newest."""

from typing import Annotated, Any

from flask import Response
from pydantic import Field

from bot.web import edge
from bot.web.api import Answer, Body, ById, Listing, Moment, Paging, answers, reply, resource
from bot.web.guard import needs
from bot.web.language import spoken
from tags.timeline import service, why

api = resource(__name__, "timeline")


class EventAnswer(Answer):
    """What happened: the event's name, one sentence in the reader's language (Accept-Language), why, and its facts."""

    at: Moment
    event: str
    text: str
    why: str
    data: dict[str, Any]


class WhyQuery(Body):
    """What is asked about: `tag:12`, `segment:3`, `group:5`, `invitation:5`, `points:17`, `welcome`, `rule:4`."""

    about: Annotated[str, Field(min_length=1, max_length=100)]


class StepAnswer(Answer):
    """One event on the way to the root. who: who did it; address: of the console page about what it names, or empty."""

    at: Moment
    event: str
    text: str
    why: str
    who: str
    address: str


class WhyAnswer(Answer):
    """The answer in one sentence, what else the records say, and the causes from what shows it to the root."""

    about: str
    text: str
    reasons: list[str]
    address: str
    chain: list[StepAnswer]


@api.get("/customers/<id>/why", responses=answers(WhyAnswer))
@needs("customers:read")
def get_why(path: ById, query: WhyQuery) -> Response:
    """Why, or why not, from the records (C9), in the reader's language (Accept-Language)."""
    found = why.ask(edge.session(), path.number, query.about, spoken())
    return reply(WhyAnswer.model_validate(found, from_attributes=True))


@api.get("/customers/<id>/timeline", responses=answers(Listing[EventAnswer]))
@needs("customers:read")
def timeline(path: ById, query: Paging) -> Response:
    """Every touch, oldest to newest (C4), those of customers merged into her included."""
    session = edge.session()
    entries, following = service.page(session, path.number, spoken(), limit=query.limit, cursor=query.cursor)
    told = [
        EventAnswer(at=one.at, event=one.event, text=one.told.text, why=one.told.why, data=one.data)
        for one in entries
    ]  # fmt: skip
    return reply(Listing[EventAnswer](data=told, next_cursor=following))
