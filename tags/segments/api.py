"""`/segments`: saved condition trees, counted, and who they mean."""

from typing import Annotated, Any

from flask import Response
from pydantic import Field

from bot.web import edge
from bot.web.api import ABSENT, Answer, Body, ById, Listing, Moment, Paging, answers, reply, resource, words
from bot.web.cursors import page
from bot.web.guard import needs
from tags.conditions.tree import parse
from tags.people.models import Customer
from tags.segments import meant, service
from tags.segments.models import Segment

api = resource(__name__, "segments")

Name = Annotated[str, words(60)]
Where = Annotated[dict[str, Any], Field(description="a condition tree")]
SAMPLE = 20


class SegmentBody(Body):
    """A new segment."""

    name: Name
    where: Where


class SegmentChange(Body):
    """What is sent changes. version: refuse (409) where it is not the one that is changed."""

    name: Name = ABSENT
    where: Where = ABSENT
    version: Annotated[int, Field(ge=1)] = ABSENT


class PreviewBody(Body):
    """A tree to be counted."""

    where: Where


class SegmentAnswer(Answer):
    """count: of customers meant now. words: the tree in Chinese."""

    id: str
    name: str
    where: Where
    words: str
    count: int
    version: int
    created_at: Moment
    changed_at: Moment


class MemberAnswer(Answer):
    """A customer, for more see `/customers/{id}`."""

    id: str
    name: str


class PreviewAnswer(Answer):
    """How many customers the tree means, and some of them drawn at random."""

    count: int
    sample: list[MemberAnswer]


@api.post("/segments", responses=answers(SegmentAnswer, 201))
@needs("segments:write")
def post_segment(body: SegmentBody) -> Response:
    """Save a tree under a name."""
    return reply(_answer(service.make(edge.session(), body.name, body.where)), 201)


@api.post("/segments/preview", responses=answers(PreviewAnswer))
@needs("segments:read")
def preview_segment(body: PreviewBody) -> Response:
    """Count a tree without saving it."""
    session = edge.session()
    counted = meant.look(session, parse(session, body.where, "/where"), SAMPLE)
    return reply(PreviewAnswer(count=counted.count, sample=[_member(one) for one in counted.sample]))


@api.get("/segments", responses=answers(Listing[SegmentAnswer]))
@needs("segments:read")
def list_segments(query: Paging) -> Response:
    """Segments, newest first."""
    order = [Segment.__table__.c.id]
    rows, following = page(edge.session(), service.listing(), order, query.limit, query.cursor, desc=True)
    return reply(Listing[SegmentAnswer](data=[_answer(one) for one in rows], next_cursor=following))


@api.get("/segments/<id>", responses=answers(SegmentAnswer))
@needs("segments:read")
def get_segment(path: ById) -> Response:
    """One segment with its count."""
    return reply(_answer(service.get(edge.session(), path.number)))


@api.patch("/segments/<id>", responses=answers(SegmentAnswer))
@needs("segments:write")
def patch_segment(path: ById, body: SegmentChange) -> Response:
    """Change name or tree."""
    changed = service.change(edge.session(), path.number, name=body.name, where=body.where, seen=body.version)
    return reply(_answer(changed))


@api.delete("/segments/<id>", responses=answers(None, 204))
@needs("segments:write")
def delete_segment(path: ById) -> Response:
    """Give a segment up; one in use is a 409 that names what uses it."""
    service.remove(edge.session(), path.number)
    return reply(None)


class MembersQuery(Paging):
    """Query of the members."""


@api.get("/segments/<id>/members", responses=answers(Listing[MemberAnswer]))
@needs("segments:read")
def list_members(path: ById, query: MembersQuery) -> Response:
    """Whom the segment means now, by id."""
    session = edge.session()
    tree = service.tree_of(session, service.get(session, path.number))
    rows, following = meant.page(session, tree, query.limit, query.cursor)
    return reply(Listing[MemberAnswer](data=[_member(one) for one in rows], next_cursor=following))


def _answer(segment: Segment) -> SegmentAnswer:
    session = edge.session()
    tree = service.tree_of(session, segment)
    return SegmentAnswer(
        id=str(segment.id), name=segment.name, where=segment.where, words=tree.words(session, "zh_CN"),
        count=meant.count(session, tree), version=segment.version, created_at=segment.created_at,
        changed_at=segment.changed_at,
    )  # fmt: skip


def _member(customer: Customer) -> MemberAnswer:
    return MemberAnswer(id=str(customer.id), name=customer.name)
