"""Her timeline over REST, oldest to newest."""

from typing import Any

from flask import Response

from bot.web import edge
from bot.web.api import Answer, ById, Listing, Moment, Paging, answers, reply, resource
from bot.web.guard import needs
from bot.web.language import spoken
from tags.timeline import service

api = resource(__name__, "timeline")


class EventAnswer(Answer):
    """What happened: the event's name, one sentence in the reader's language (Accept-Language), why, and its facts."""

    at: Moment
    event: str
    text: str
    why: str
    data: dict[str, Any]


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
