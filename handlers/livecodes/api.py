"""`/live-codes`: channels with their codes."""

from collections.abc import Iterable
from typing import Annotated, Any

from flask import Response
from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from bot.web import pictures
from bot.web.api import (
    ABSENT,
    Answer,
    Body,
    ById,
    Flag,
    Ident,
    Listing,
    Moment,
    Paging,
    answers,
    reply,
    resource,
    words,
)
from bot.web.at_once import at_once
from bot.web.cursors import page
from bot.web.edge import session
from bot.web.guard import needs
from handlers.livecodes import addings, service
from handlers.livecodes.models import LiveCode
from handlers.messaging.content import Content
from tags.people.staff import Userid

api = resource(__name__, "live-codes")

Name = Annotated[str, words(60)]
Cap = Annotated[int, Field(ge=1, le=10_000)]
TagIds = Annotated[list[Ident], Field(max_length=50)]


def _once(staff: list[str]) -> list[str]:
    if len(set(staff)) != len(staff):
        raise ValueError("names a member twice")
    return staff


Staff = Annotated[
    list[Userid], Field(min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}), AfterValidator(_once)
]


def _values(body: Body, names: Iterable[str]) -> dict[str, Any]:
    """The fields of these names as the service takes them, ids as numbers."""
    sent = {name: getattr(body, name) for name in names}
    if "tags" in sent:
        sent["tags"] = [int(one) for one in sent["tags"]]
    if sent.get("segment_group_id") is not None:
        sent["segment_group_id"] = int(sent["segment_group_id"])
    return sent


class LiveCodeBody(Body):
    """daily_cap: addings a member and calendar day, after which the code leads past him.

    remark_channel: write the channel's name into the remark of who comes through it. A schedule is not there yet.
    """

    name: Name
    staff: Staff
    daily_cap: Cap | None = None
    skip_verify: Flag = True
    tags: TagIds = Field(default_factory=list)
    welcome: Content | None = None
    segment_group_id: Ident | None = None
    remark_channel: Flag = False


class LiveCodeChange(Body):
    """What is sent changes; null takes away."""

    name: Name = ABSENT
    staff: Staff = ABSENT
    daily_cap: Cap | None = None
    skip_verify: Flag = ABSENT
    tags: TagIds = ABSENT
    welcome: Content | None = None
    segment_group_id: Ident | None = None
    remark_channel: Flag = ABSENT


class ResultsAnswer(Answer):
    """Friends it has brought: today (brand's zone), in all, and how many of those have left."""

    today: int
    total: int
    left: int


class LiveCodeAnswer(Answer):
    """qr_code: the picture at our address, null until WeCom has made the code.

    resting: members it leads past today. error: why WeCom refused the last change, empty otherwise.
    """

    id: str
    name: str
    state: str
    qr_code: str | None
    staff: list[str]
    resting: list[str]
    daily_cap: int | None
    skip_verify: Flag
    tags: list[str]
    welcome: Content | None
    segment_group_id: str | None
    remark_channel: Flag
    results: ResultsAnswer
    error: str
    created_at: Moment
    closed_at: Moment | None


class LiveCodesQuery(Paging):
    """Query of the list. closed: those that were deleted, instead of those in use."""

    closed: bool = False


@api.post("/live-codes", responses=answers(LiveCodeAnswer, 201, 202))
@needs("live-codes:write")
def post_live_code(body: LiveCodeBody) -> Response:
    """Make a code. 202: WeCom has not answered; the code has its picture once it has."""
    values = _values(body, LiveCodeBody.model_fields)
    code, confirmed = at_once(lambda own: service.make(own, values))
    return reply(_answer(session(), code.id), 201 if confirmed else 202)


@api.get("/live-codes", responses=answers(Listing[LiveCodeAnswer]))
@needs("live-codes:read")
def list_live_codes(query: LiveCodesQuery) -> Response:
    """Codes, newest first."""
    order = [LiveCode.__table__.c.id]
    rows, following = page(session(), service.listing(query.closed), order, query.limit, query.cursor, desc=True)
    brought = addings.results(session(), [row.id for row in rows])
    shown = [_shown(session(), row, brought.get(row.id, addings.Results())) for row in rows]
    return reply(Listing[LiveCodeAnswer](data=shown, next_cursor=following))


@api.get("/live-codes/<id>", responses=answers(LiveCodeAnswer))
@needs("live-codes:read")
def get_live_code(path: ById) -> Response:
    """One code, also one that was closed."""
    return reply(_answer(session(), path.number))


@api.patch("/live-codes/<id>", responses=answers(LiveCodeAnswer, 200, 202))
@needs("live-codes:write")
def patch_live_code(path: ById, body: LiveCodeChange) -> Response:
    """Change a code. 202: WeCom, which holds staff and skip_verify, has not answered; it changes once it has."""
    values = _values(body, body.model_fields_set)
    code, confirmed = at_once(lambda own: service.change(own, path.number, values))
    return reply(_answer(session(), code.id), 200 if confirmed else 202)


@api.delete("/live-codes/<id>", responses=answers(None, 202, 204))
@needs("live-codes:write")
def delete_live_code(path: ById) -> Response:
    """Delete a code in WeCom: its picture leads nowhere. What came through it stays."""
    _, confirmed = at_once(lambda own: service.close(own, path.number))
    return Response(status=204 if confirmed else 202)


def _answer(session: Session, code_id: int) -> LiveCodeAnswer:
    brought = addings.results(session, [code_id])
    return _shown(session, service.get(session, code_id), brought.get(code_id, addings.Results()))


def _shown(session: Session, code: LiveCode, brought: addings.Results) -> LiveCodeAnswer:
    return LiveCodeAnswer(
        id=str(code.id), name=code.name, state=code.state,
        qr_code=pictures.address(session, code.qr_code) if code.qr_code else None,
        staff=code.staff, resting=[one for one in code.staff if code.duty and one not in code.duty],
        daily_cap=code.daily_cap, skip_verify=code.skip_verify, tags=[str(one) for one in code.tags],
        welcome=Content.model_validate(code.welcome) if code.welcome else None,
        segment_group_id=str(code.segment_group_id) if code.segment_group_id else None,
        remark_channel=code.remark_channel, results=ResultsAnswer(**vars(brought)), error=code.error,
        created_at=code.created_at, closed_at=code.closed_at,
    )  # fmt: skip
