"""`/staff` and `/transfers`: members with how they fare, and customers handed from one to another (C5)."""

from dataclasses import asdict
from typing import Annotated, Literal

from flask import Response
from pydantic import Field
from sqlalchemy import select

from bot.web.api import Answer, Body, Listing, Moment, Paging, answers, reply, resource
from bot.web.cursors import page
from bot.web.edge import session
from bot.web.guard import needs
from handlers.transfers import members, service
from handlers.transfers.models import Transfer
from tags.people.models import Contact, Staff
from tags.people.staff import Userid

api = resource(__name__, "transfers")

State = Literal["asked", "waiting", "done", "refused", "full", "failed"]
MOST = 1000
Her = Annotated[str, Field(min_length=1, max_length=64)]


class StaffAnswer(Answer):
    """A member. active: customers now; added, lost, late (welcomes too late for their code) in the last 30 days;
    giving, taking: transfers under way. left_at: when he left the corp.
    """

    userid: str
    name: str
    left_at: Moment | None
    active: int
    added: int
    lost: int
    late: int
    giving: int
    taking: int


class AwaitingAnswer(Answer):
    """A customer of a member who left the corp, given to nobody yet."""

    customer_id: str
    external_userid: str
    userid: str
    left_at: Moment


class TransferBody(Body):
    """customers: external_userids of contacts of `handover`; null hands all of them over. message: what the successor
    says to her once it is done, at most 200 characters; not after the member left.
    """

    handover: Userid
    takeover: Userid
    customers: Annotated[list[Her], Field(min_length=1, max_length=MOST)] | None = None
    message: Annotated[str, Field(max_length=200)] = ""


class StartedAnswer(Answer):
    """asked: transfers WeCom is asked for; twice: left out, for they were handed on twice in 90 days."""

    asked: int
    twice: int


class TransferQuery(Paging):
    """Filters of transfers."""

    state: State | None = None


class TransferAnswer(Answer):
    """reason: WeCom's errcode or words, `twice`, `no_record`; empty where there is none."""

    id: str
    customer_id: str
    external_userid: str
    handover: str
    takeover: str
    resigned: bool
    state: State
    reason: str
    asked_at: Moment
    settled_at: Moment | None


@api.get("/staff", responses=answers(Listing[StaffAnswer]))
@needs("staff:read")
def list_staff(query: Paging) -> Response:
    """The members, by userid."""
    rows, following = page(session(), select(Staff), [Staff.__table__.c.userid], query.limit, query.cursor)
    fares = members.fares(session(), [one.userid for one in rows])
    data = [
        StaffAnswer(userid=one.userid, name=one.name, left_at=one.left_at, **asdict(fares[one.userid])) for one in rows
    ]
    return reply(Listing[StaffAnswer](data=data, next_cursor=following))


@api.get("/transfers", responses=answers(Listing[TransferAnswer]))
@needs("transfers:read")
def list_transfers(query: TransferQuery) -> Response:
    """Transfers, newest first."""
    wanted = select(Transfer) if query.state is None else select(Transfer).where(Transfer.state == query.state)
    rows, following = page(session(), wanted, [Transfer.__table__.c.id], query.limit, query.cursor, desc=True)
    data = [
        TransferAnswer(
            id=str(one.id), customer_id=str(one.customer_id), external_userid=one.external_userid,
            handover=one.handover, takeover=one.takeover, resigned=one.resigned, state=one.state, reason=one.reason,
            asked_at=one.asked_at, settled_at=one.settled_at,
        )
        for one in rows
    ]  # fmt: skip
    return reply(Listing[TransferAnswer](data=data, next_cursor=following))


@api.get("/transfers/awaiting", responses=answers(Listing[AwaitingAnswer]))
@needs("transfers:read")
def list_awaiting(query: Paging) -> Response:
    """Customers of members who left the corp, given to nobody yet."""
    rows, following = page(session(), service.awaiting(), [Contact.__table__.c.id], query.limit, query.cursor)
    data = [
        AwaitingAnswer(
            customer_id=str(her.id), external_userid=contact.external_userid, userid=gone.userid, left_at=gone.left_at
        )
        for contact, her, gone in rows
    ]
    return reply(Listing[AwaitingAnswer](data=data, next_cursor=following))


@api.post("/transfers", responses=answers(StartedAnswer, 202))
@needs("transfers:write")
def post_transfers(body: TransferBody) -> Response:
    """Hand customers over, on the job or after the member left. WeCom answers for each of them, see `/transfers`."""
    started = service.start(session(), body.handover, body.takeover, body.customers, body.message)
    return reply(StartedAnswer(asked=started.asked, twice=started.twice), 202)
