"""`/segment-groups`: routes from tags to group chats, and how their invitations fare."""

from dataclasses import asdict
from typing import Annotated, Any

import structlog
from flask import Response
from pydantic import AfterValidator, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.jobs import enqueue
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
from bot.web.edge import installation, session
from bot.web.guard import needs
from bot.wecom.client import wecom_of
from bot.wecom.errors import WeComError
from handlers.invites import editing, jobs, lists
from handlers.invites.models import InvitationText
from handlers.messaging.placeholders import check
from tags.groups import joinways, routes
from tags.groups import lists as seats
from tags.groups.editing import Wanted
from tags.groups.models import GroupAssignment, Route, SegmentGroup
from tags.groups.rules import CAPACITY, WhenFull, has_room

api = resource(__name__, "segment-groups")
log = structlog.get_logger(__name__)

TEXT_BYTES = 1000  # it shares 4000 with a welcome's, and 2048 with the card's words in 微信客服
REMIND_AFTER_DAYS = 3
MOST_ROUTES = 100

Chat = Annotated[str, Field(min_length=1, max_length=64)]
Text = Annotated[str, words(1000), AfterValidator(lambda value: check(value, TEXT_BYTES))]
Name = Annotated[str, words(40)]
Days = Annotated[int, Field(ge=1, le=90)] | None


class RouteBody(Body):
    """Who has the tag, or is meant by the segment, is invited into a chat of `chats`: either tag_id or segment_id.

    Each chat takes `capacity` people, then comes the next.
    when_full, all of them: `new_chat` lets WeCom make one, which it does at 200 people; `wait` keeps invitations until
    somebody leaves or a chat is added; null is new_chat where the capacity is 200.
    """

    tag_id: Ident | None = None
    segment_id: Ident | None = None
    chats: Annotated[list[Chat], Field(min_length=1, max_length=50, json_schema_extra={"uniqueItems": True})]
    capacity: Annotated[int, Field(ge=1, le=CAPACITY)] = CAPACITY
    when_full: WhenFull | None = None

    def wanted(self, route_id: int | None = None) -> Wanted:
        """What the service is asked for."""
        return Wanted(_int(self.tag_id), _int(self.segment_id), self.chats, self.capacity, self.when_full, route_id)


class RouteChange(RouteBody):
    """id: of the route that becomes this; null for a new one."""

    id: Ident | None = None


class InvitationBody(Body):
    """text: with placeholders; the card to her group's page is added to it."""

    text: Text


class SegmentGroupBody(Body):
    """Her route is the first whose tag or segment she has. remind_after_days: when she is reminded once; null never.

    invite_existing: whether who has one already is invited too; they belong to their routes either way.
    """

    name: Name
    routes: Annotated[list[RouteBody], Field(min_length=1, max_length=MOST_ROUTES)]
    invitation: InvitationBody
    remind_after_days: Days = REMIND_AFTER_DAYS
    invite_existing: Flag = False


class SegmentGroupChange(Body):
    """What is left out stays. routes: all of them in their order; those that are not named by id are removed."""

    name: Name = ABSENT
    routes: Annotated[list[RouteChange], Field(min_length=1, max_length=MOST_ROUTES)] = ABSENT
    invitation: InvitationBody = ABSENT
    remind_after_days: Days = None
    invite_existing: Flag = False


class BelongingQuery(Paging):
    """Filters of who belongs to a segment group."""

    status: lists.Status | None = None
    route_id: Ident | None = None


class RouteAnswer(Answer):
    """qr_code: the picture of the join code at our address, null until WeCom has made it. open: chats with room.

    full_since: when all were full, while people wait for room. belong: customers whose route it is. invited, clicked,
    taken_up: invitations that left, were opened, and were followed by a joining; waiting, failed: that have not left.
    joined: customers in its chats; wrong_group: customers of this route who sit in a chat of another.
    """

    id: str
    tag_id: str | None
    segment_id: str | None
    chats: list[str]
    open: list[str]
    capacity: int
    when_full: WhenFull
    full_since: Moment | None
    qr_code: str | None
    belong: int
    invited: int
    clicked: int
    taken_up: int
    waiting: int
    failed: int
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
    closed_at: Moment | None


class BelongingAnswer(Answer):
    """Somebody who belongs to a segment group. reason: why an invitation or its reminder waits, or did not leave.

    status: joined (she sits there), left (she did), not_invited, waiting, failed, invited, clicked.
    """

    customer_id: str
    name: str
    route_id: str
    status: lists.Status
    reason: str
    invited_at: Moment | None
    clicked_at: Moment | None
    reminded_at: Moment | None


class WrongAnswer(Answer):
    """Somebody who sits in `chat_id`, a chat of another route than `route_id`, which is hers."""

    customer_id: str
    chat_id: str
    route_id: str


class DuplicateAnswer(Answer):
    """Somebody who sits in several chats of one segment group. customer_id: null where she is nobody's contact."""

    customer_id: str | None
    external_userid: str
    chats: list[str]


@api.post("/segment-groups", responses=answers(SegmentGroupAnswer, 201, 202))
@needs("segment-groups:write")
def post_segment_group(body: SegmentGroupBody) -> Response:
    """Make it, with a join code for each route. 202: WeCom has not answered; the codes are there once it has."""
    wanted = [one.wanted() for one in body.routes]
    text = body.invitation.text
    group_id, confirmed = at_once(lambda own: editing.make(
        own, body.name, wanted, text, body.remind_after_days, invite=body.invite_existing
    ))  # fmt: skip
    return _written(group_id, 201 if confirmed else 202)


@api.patch("/segment-groups/<id>", responses=answers(SegmentGroupAnswer, 200, 202))
@needs("segment-groups:write")
def patch_segment_group(path: ById, body: SegmentGroupChange) -> Response:
    """Change it. A route whose join code WeCom refuses is not added (502); the rest of the change stands."""
    given = body.model_fields_set
    wanted = None if body.routes is None else [
        one.wanted(_int(one.id)) for one in body.routes
    ]  # fmt: skip
    days = {"remind_after_days": body.remind_after_days} if "remind_after_days" in given else {}
    text = body.invitation.text if body.invitation else None
    _done, confirmed = at_once(lambda own: editing.change(
        own, path.number, name=body.name, wanted=wanted, text=text, invite=body.invite_existing, **days
    ))  # fmt: skip
    return _written(path.number, 200 if confirmed else 202)


@api.delete("/segment-groups/<id>", responses=answers(SegmentGroupAnswer, 200, 202))
@needs("segment-groups:write")
def delete_segment_group(path: ById) -> Response:
    """Close it: its codes are deleted in WeCom, nobody is invited any more; chats and history stay."""
    _done, confirmed = at_once(lambda own: editing.close(own, path.number))
    return reply(_answer(session(), path.number), 200 if confirmed else 202)


@api.post("/segment-groups/<id>/invitations", responses=answers(SegmentGroupAnswer, 202))
@needs("segment-groups:write")
def invite_the_rest(path: ById) -> Response:
    """Invite everybody who belongs to it and never was, or could not be, in a job."""
    routes.get(session(), path.number)
    enqueue(session(), jobs.invite_the_rest, segment_group_id=path.number)
    return reply(_answer(session(), path.number), 202)


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


@api.get("/segment-groups/<id>/members", responses=answers(Listing[BelongingAnswer]))
@needs("segment-groups:read")
def list_members(path: ById, query: BelongingQuery) -> Response:
    """Who belongs to it, whatever she sits in; the oldest first."""
    routes.get(session(), path.number)
    wanted = lists.belonging(path.number, query.status, _int(query.route_id))
    order = [GroupAssignment.__table__.c.id]
    rows, following = page(session(), wanted, order, query.limit, query.cursor)
    data = [
        BelongingAnswer(
            customer_id=str(one.customer_id), name=one.name, route_id=str(one.route_id), status=one.status,
            reason=one.reason, invited_at=one.sent_at, clicked_at=one.clicked_at, reminded_at=one.reminded_at,
        )
        for one in map(lists.Belonging._make, rows)
    ]  # fmt: skip
    return reply(Listing[BelongingAnswer](data=data, next_cursor=following))


@api.get("/segment-groups/<id>/wrong-group", responses=answers(Listing[WrongAnswer]))
@needs("segment-groups:read")
def list_wrong_group(path: ById, query: Paging) -> Response:
    """Who sits in a chat of another route than hers; a row a seat."""
    routes.get(session(), path.number)
    rows, following = page(session(), *seats.paged(seats.wrong(path.number)), query.limit, query.cursor)
    data = [
        WrongAnswer(customer_id=str(customer_id), chat_id=chat_id, route_id=str(route_id))
        for _seat, chat_id, customer_id, route_id in rows
    ]
    return reply(Listing[WrongAnswer](data=data, next_cursor=following))


@api.get("/segment-groups/<id>/duplicates", responses=answers(Listing[DuplicateAnswer]))
@needs("segment-groups:read")
def list_duplicates(path: ById, query: Paging) -> Response:
    """Who sits in several chats of it."""
    routes.get(session(), path.number)
    rows, following = page(session(), *seats.paged(seats.duplicates(path.number)), query.limit, query.cursor)
    data = [
        DuplicateAnswer(customer_id=_str(her), external_userid=external_userid, chats=chats)
        for _seat, her, external_userid, chats in rows
    ]
    return reply(Listing[DuplicateAnswer](data=data, next_cursor=following))


def _written(group_id: int, status: int) -> Response:
    for route in routes.routes_of(session(), group_id):
        _read_code(session(), route)
    return reply(_answer(session(), group_id), status)


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
    fares, sit, wrong = lists.funnels(session, group_id), seats.joined(session, group_id), seats.wrong_counts(
        session, group_id
    )  # fmt: skip
    return SegmentGroupAnswer(
        id=str(group.id), name=group.name, invitation=InvitationAnswer(text=text.text),
        remind_after_days=text.remind_after_days, created_at=group.created_at, closed_at=group.closed_at,
        routes=[
            _route(session, route, fares.get(route.id, lists.Funnel()), sit.get(route.id, 0), wrong.get(route.id, 0))
            for route in routes.routes_of(session, group.id)
        ],
    )  # fmt: skip


def _route(session: Session, route: Route, fares: lists.Funnel, joined: int, wrong_group: int) -> RouteAnswer:
    pool = joinways.fills(session, route.id)
    return RouteAnswer(
        id=str(route.id), tag_id=_str(route.tag_id), segment_id=_str(route.segment_id), capacity=route.capacity,
        when_full=route.when_full,
        full_since=route.full_at, chats=[chat.chat_id for chat in pool],
        open=[chat.chat_id for chat in pool if has_room(chat, route.capacity)],
        qr_code=pictures.address(session, route.qr_code) if route.qr_code else None,
        joined=joined, wrong_group=wrong_group, **asdict(fares),
    )  # fmt: skip


def _int(value: str | None) -> int | None:
    return None if value is None else int(value)


def _str(value: int | None) -> str | None:
    return None if value is None else str(value)
