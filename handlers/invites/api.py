"""`/segment-groups`: routes from tags to group chats, and how their invitations fare."""

from typing import Annotated, Any

import structlog
from flask import Response
from pydantic import AfterValidator, BeforeValidator, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.web import pictures
from bot.web.api import Answer, Body, ById, Ident, Listing, Moment, Paging, answers, reply, resource
from bot.web.at_once import at_once
from bot.web.cursors import page
from bot.web.edge import installation, session
from bot.web.guard import needs
from bot.wecom.client import wecom_of
from bot.wecom.errors import WeComError
from handlers.invites import service
from handlers.invites.models import InvitationText
from handlers.messaging.placeholders import check
from tags.groups import joinways, routes
from tags.groups.models import Route, SegmentGroup
from tags.groups.routes import Wanted
from tags.groups.rules import CAPACITY

api = resource(__name__, "segment-groups")
log = structlog.get_logger(__name__)

TEXT_BYTES = 1000  # it shares 4000 with a welcome's, and 2048 with the card's words in 微信客服
REMIND_AFTER_DAYS = 3

Chat = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, Field(min_length=1, max_length=1000), AfterValidator(lambda value: check(value, TEXT_BYTES))]


def _no_segment(value: object) -> None:
    if value is not None:
        raise ValueError("segments are not there yet, expected a tag_id")


class RouteBody(Body):
    """Who has the tag is invited into a chat of `chats`; each takes `capacity` people, then comes the next.

    segment_id: segments are not there yet.
    """

    tag_id: Ident
    segment_id: Annotated[None, BeforeValidator(_no_segment)] = None
    chats: Annotated[list[Chat], Field(min_length=1, max_length=50, json_schema_extra={"uniqueItems": True})]
    capacity: Annotated[int, Field(ge=1, le=500)] = CAPACITY

    @property
    def wanted(self) -> Wanted:
        return Wanted(int(self.tag_id), self.chats, self.capacity)


class InvitationBody(Body):
    """text: with placeholders; the card to her group's page is added to it."""

    text: Text


class SegmentGroupBody(Body):
    """Her route is the first whose tag she has. remind_after_days: after which she is reminded once; null never."""

    name: Annotated[str, Field(min_length=1, max_length=40)]
    routes: Annotated[list[RouteBody], Field(min_length=1, max_length=100)]
    invitation: InvitationBody
    remind_after_days: Annotated[int, Field(ge=1, le=90)] | None = REMIND_AFTER_DAYS


class RouteAnswer(Answer):
    """qr_code: the picture of the join code at our address, null until WeCom has made it. open: chats with room.

    invited: invitations that left; waiting: that wait for a carrier. joined: customers in its chats; wrong_group:
    customers of this route who sit in a chat of another.
    """

    id: str
    tag_id: str
    chats: list[str]
    open: list[str]
    capacity: int
    qr_code: str | None
    invited: int
    waiting: int
    joined: int
    wrong_group: int


class InvitationAnswer(Answer):
    """What she is invited with."""

    text: str


class SegmentGroupAnswer(Answer):
    """A segment group with its routes in order."""

    id: str
    name: str
    routes: list[RouteAnswer]
    invitation: InvitationAnswer
    remind_after_days: int | None
    created_at: Moment


@api.post("/segment-groups", responses=answers(SegmentGroupAnswer, 201, 202))
@needs("segment-groups:write")
def post_segment_group(body: SegmentGroupBody) -> Response:
    """Make it, with a join code for each route. 202: WeCom has not answered; the codes are there once it has.

    Who has a tag already is not invited; who gets it from now on is.
    """
    group_id, confirmed = at_once(lambda own: _make(own, body))
    for route in routes.routes_of(session(), group_id):
        _read_code(session(), route)
    return reply(_answer(session(), group_id), 201 if confirmed else 202)


@api.get("/segment-groups", responses=answers(Listing[SegmentGroupAnswer]))
@needs("segment-groups:read")
def list_segment_groups(query: Paging) -> Response:
    """Segment groups, newest first."""
    order = [SegmentGroup.__table__.c.id]
    rows, following = page(session(), select(SegmentGroup.id), order, query.limit, query.cursor, desc=True)
    data = [_answer(session(), group_id) for group_id in rows]
    return reply(Listing[SegmentGroupAnswer](data=data, next_cursor=following))


@api.get("/segment-groups/<id>", responses=answers(SegmentGroupAnswer))
@needs("segment-groups:read")
def get_segment_group(path: ById) -> Response:
    """One segment group, with how its invitations fare."""
    return reply(_answer(session(), path.number))


def _make(own: Session, body: SegmentGroupBody) -> int:
    group = routes.make(own, body.name, [one.wanted for one in body.routes])
    invite = {"text": body.invitation.text, "remind_after_days": body.remind_after_days}
    own.add(InvitationText(segment_group_id=group.id, **invite))
    return group.id


def _read_code(session: Session, route: Route) -> None:
    """The code's address now, so that the answer has it; where WeCom does not give it, the inbox asks again."""
    if not route.config_id or route.qr_code:
        return
    try:
        way: dict[str, Any] = wecom_of(installation()).contact.get_join_way(route.config_id)
    except WeComError as error:
        log.warning("a join way's code could not be read", route=route.id, error=str(error))
        return
    joinways.coded(session, route.id, str(way["qr_code"]))


def _answer(session: Session, group_id: int) -> SegmentGroupAnswer:
    group = routes.get(session, group_id)
    text = session.get_one(InvitationText, group_id)
    return SegmentGroupAnswer(
        id=str(group.id), name=group.name, invitation=InvitationAnswer(text=text.text),
        remind_after_days=text.remind_after_days, created_at=group.created_at,
        routes=[_route(session, route) for route in routes.routes_of(session, group.id)],
    )  # fmt: skip


def _route(session: Session, route: Route) -> RouteAnswer:
    counts = service.counts(session, route.id)
    return RouteAnswer(
        id=str(route.id), tag_id=str(route.tag_id), capacity=route.capacity,
        chats=[fill.chat_id for fill in joinways.fills(session, route.id)],
        open=joinways.open_chats(session, route),
        qr_code=pictures.address(session, route.qr_code) if route.qr_code else None,
        invited=counts.get("sent", 0), waiting=counts.get("waiting", 0) + counts.get("enclosed", 0),
        joined=routes.joined(session, route.id), wrong_group=len(routes.wrong_group(session, route.id)),
    )  # fmt: skip
