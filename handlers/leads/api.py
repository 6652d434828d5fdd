"""Leads over REST: listed, shared out, reported on; the rules of the morning."""

from typing import Annotated, Any, Literal

from flask import Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bot.web import cursors, edge
from bot.web.api import Answer, Body, ById, Listing, Moment, Paging, Whole, answers, reply, resource
from bot.web.guard import needs
from handlers.leads import service, share, standing
from handlers.leads.listing import Shown, State, listed, of_state
from handlers.leads.models import Lead, LeadRule
from tags.conditions.tree import parse
from tags.people.staff import Userid

api = resource(__name__, "leads")

Staff = Annotated[list[Userid], Field(min_length=1, max_length=200)]
Where = dict[str, Any] | None


class LeadsQuery(Paging):
    """Filters: the state, the member who has her."""

    state: State | SkipJsonSchema[None] = None
    userid: Userid | SkipJsonSchema[None] = None


class TurnAnswer(Answer):
    """One member's turn. result: empty while it lasts."""

    userid: str
    at: Moment
    due_at: Moment
    ended_at: Moment | None
    result: str
    note: str


class LeadAnswer(Answer):
    """A customer in the pool, with every turn, oldest first.

    maybe: customers in whose remark a member wrote her phone; merge them if they are one person.
    """

    id: str
    customer_id: str
    name: str
    phone: str | None = Field(description="masked")
    city: str
    source: Literal["buyer", "import"]
    state: State
    not_before: Moment
    turns: list[TurnAnswer]
    maybe: list[str]


class ShareBody(Body):
    """Whom to share out to: members in turns, the customers a condition tree means (null: all), how many at most."""

    staff: Staff
    where: Where = None
    most: Annotated[Whole, Field(ge=1, le=share.MOST)] = share.MOST


class SharedAnswer(Answer):
    """How many each member got, and how many open leads fit but are left."""

    by_member: dict[str, int]
    left: int


class ReportBody(Body):
    """What came of a member's turn."""

    result: service.Result
    note: Annotated[str, Field(max_length=200)] = ""


class SummaryAnswer(Answer):
    """Leads by state; what came of each member's turns (`open`: under way)."""

    states: dict[str, int]
    members: dict[str, dict[str, int]]


class RuleBody(Body):
    """Each morning at nine, in the brand's zone: who gets whom."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    where: Where = None
    staff: Staff


class RuleAnswer(Answer):
    """A rule."""

    id: str
    name: str
    where: Where
    staff: list[str]


class RulesAnswer(Answer):
    """All rules, in their order."""

    data: list[RuleAnswer]


@api.get("/leads", responses=answers(Listing[LeadAnswer]))
@needs("leads:read")
def list_leads(query: LeadsQuery) -> Response:
    """The pool, a page at a time."""
    session = edge.session()
    wanted = of_state(query.state, query.userid)
    rows, following = cursors.page(session, wanted, [Lead.__table__.c.id], query.limit, query.cursor)
    data = [_lead(one) for one in listed(session, rows)]
    return reply(Listing[LeadAnswer](data=data, next_cursor=following))


@api.post("/leads/share-out", responses=answers(SharedAnswer))
@needs("leads:write")
def share_out(body: ShareBody) -> Response:
    """Hand out open leads to members in turns."""
    session = edge.session()
    tree = parse(session, body.where, "/where") if body.where is not None else None
    done = share.share_out(session, body.staff, tree, body.most)
    return reply(SharedAnswer(by_member=done.by_member, left=done.left))


@api.post("/leads/<id>/results", responses=answers(None, 204))
@needs("leads:write")
def post_result(path: ById, body: ReportBody) -> Response:
    """Say what came of the turn under way; a 409 where there is none."""
    service.report(edge.session(), path.number, body.result, body.note)
    return reply(None)


@api.get("/leads/summary", responses=answers(SummaryAnswer))
@needs("leads:read")
def summary() -> Response:
    """How the pool stands, and how each member does."""
    session = edge.session()
    return reply(SummaryAnswer(states=service.counts(session), members=service.results(session)))


@api.get("/lead-rules", responses=answers(RulesAnswer))
@needs("leads:read")
def list_rules() -> Response:
    """The rules, in their order."""
    return reply(RulesAnswer(data=[_rule(one) for one in standing.everything(edge.session())]))


@api.post("/lead-rules", responses=answers(RuleAnswer, 201))
@needs("leads:write")
def post_rule(body: RuleBody) -> Response:
    """A new rule, after those there are."""
    return reply(_rule(standing.make(edge.session(), body.name, body.where, body.staff)), 201)


@api.delete("/lead-rules/<id>", responses=answers(None, 204))
@needs("leads:write")
def delete_rule(path: ById) -> Response:
    """Give a rule up."""
    standing.remove(edge.session(), path.number)
    return reply(None)


def _lead(lead: Shown) -> LeadAnswer:
    turns = [TurnAnswer.model_validate(one, from_attributes=True) for one in lead.turns]
    kept = {name: getattr(lead, name) for name in LeadAnswer.model_fields if name not in ("turns", "maybe")}
    return LeadAnswer(**kept, turns=turns, maybe=[str(other) for other, _name in lead.maybe])


def _rule(rule: LeadRule) -> RuleAnswer:
    return RuleAnswer(id=str(rule.id), name=rule.name, where=rule.where, staff=rule.staff)
