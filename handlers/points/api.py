"""Points over REST: a customer's statement, her ledger, adjustments."""

from typing import Annotated, Literal

from flask import Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bot.core.errors import Unacceptable
from bot.core.i18n import SOURCE
from bot.web import edge
from bot.web.api import Answer, Body, ById, Listing, Moment, Paging, Whole, answers, reply, resource, words
from bot.web.guard import needs
from handlers.points import adjust, statement
from handlers.points.telling import reason
from tags.people import cards
from tags.people import service as people

api = resource(__name__, "points")

Kind = Literal["earn", "bonus", "claw_back", "spend", "give_back", "expire", "adjust", "activate", "part"]


class LotAnswer(Answer):
    """Points that end together; from `expires_at` on they can't be spent."""

    points: int
    expires_at: Moment


class MonthAnswer(Answer):
    """A calendar month: base_points = floor(net_spend_fen x rate)."""

    net_spend_fen: int
    rate: str = Field(description='a decimal fraction: "0.015" is 1.5 %')
    base_points: int


class StatementAnswer(Answer):
    """The ledger's sum is balance - debt, the lots' sum is balance, spendable is balance - held."""

    balance: int
    held: int
    pending: int
    debt: int
    lots: list[LotAnswer]
    tier: str | None
    month: MonthAnswer


class LineAnswer(Answer):
    """A line of the ledger: what it changed in balance - debt, why, and that sum after it."""

    id: str
    at: Moment
    points: int
    kind: Kind
    reason: str
    cause: str | None = Field(description="what brought it about: order:<order_id>, refund:<order_id>/<refund_id>, …")
    balance_after: int


class MonthQuery(Body):
    """Which calendar month; this one if left out."""

    month: Annotated[str, Field(pattern=r"^20[0-9]{2}-(0[1-9]|1[0-2])$")] | SkipJsonSchema[None] = None


class AdjustmentBody(Body):
    """Points to give, or to take where negative, and why."""

    points: Annotated[Whole, Field(ge=-(10**9), le=10**9)]
    reason: Annotated[str, words(500)]


@api.get("/customers/<id>/points", responses=answers(StatementAnswer))
@needs("points:read")
def get_points(path: ById, query: MonthQuery) -> Response:
    """Her points now; a merged customer answers her survivor's."""
    session = edge.session()
    found = statement.statement(session, path.number, query.month)
    month = MonthAnswer(
        net_spend_fen=found.month.net_spend_fen, rate=f"{found.month.rate.normalize():f}",
        base_points=found.month.base_points,
    )  # fmt: skip
    lots = [LotAnswer(points=lot.points, expires_at=lot.expires_at) for lot in found.lots]
    tier = cards.field(session, "tier", people.survivor(session, path.number))
    sums = {"balance": found.balance, "held": found.held, "pending": found.pending, "debt": found.debt}
    return reply(StatementAnswer(**sums, lots=lots, tier=tier, month=month))


@api.get("/customers/<id>/ledger", responses=answers(Listing[LineAnswer]))
@needs("points:read")
def get_ledger(path: ById, query: Paging) -> Response:
    """Every line that changed her balance or debt, oldest first."""
    lines, following = statement.ledger(edge.session(), path.number, limit=query.limit, cursor=query.cursor)
    return reply(Listing[LineAnswer](data=[_line(line) for line in lines], next_cursor=following))


@api.post("/customers/<id>/points/adjustments", responses=answers(LineAnswer, 201))
@needs("points:write")
def post_adjustment(path: ById, body: AdjustmentBody) -> Response:
    """Give or take points by hand; the line of the ledger it made. Below zero is a 422."""
    if body.points == 0:
        raise Unacceptable.at("/points", "is 0, expected a positive or a negative number")
    session = edge.session()
    made = adjust.adjust(session, path.number, body.points, body.reason)
    return reply(_line(statement.line_of(session, path.number, made)), 201)


def _line(line: statement.LedgerLine) -> LineAnswer:
    return LineAnswer.model_validate({
        **vars(line), "id": str(line.id), "reason": reason(line.kind, line.facts, SOURCE), "cause": line.cause or None,
    })  # fmt: skip
