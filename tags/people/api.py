"""Customers over REST: found, listed, changed, merged and taken apart."""

from datetime import date, timedelta, timezone
from typing import Annotated, Any, Literal, Self

from flask import Response
from pydantic import AfterValidator, Field, RootModel, Strict, model_validator
from pydantic.json_schema import SkipJsonSchema

from bot.core import clock
from bot.web import edge
from bot.web.api import Answer, Body, ById, Day, Ident, Listing, Paging, Whole, answers, reply, resource
from bot.web.guard import needs
from tags.people import describe, finding, merge, service
from tags.people.cards import CustomerAnswer, cards
from tags.people.models import Merge
from tags.people.selector import Name, Phone, Selector

api = resource(__name__, "customers")

Text = Annotated[str, Field(max_length=128)]
Real = Annotated[float, Strict()]
Own = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=500)] | Whole | Real | None],
    Field(max_length=200, description="custom fields by key; null takes a value away"),
]
OLDEST = date(1900, 1, 1)
FILTERS = ("tag", "segment")
EARLIEST_ZONE = timezone(timedelta(hours=14))  # where a day begins first


def _born(day: date) -> date:
    today = clock.now().astimezone(EARLIEST_ZONE).date()
    if not OLDEST <= day <= today:
        raise ValueError(f"is {day}, expected a day between {OLDEST} and today")
    return day


class CustomersQuery(Paging):
    """One of the selectors, for one customer; or filters, for a list."""

    customer_id: Ident | SkipJsonSchema[None] = None
    external_userid: Name | SkipJsonSchema[None] = None
    unionid: Name | SkipJsonSchema[None] = None
    phone: Phone | SkipJsonSchema[None] = None
    shop_customer_id: Name | SkipJsonSchema[None] = None
    tag: Ident | SkipJsonSchema[None] = None
    segment: Ident | SkipJsonSchema[None] = None
    q: Annotated[str, Field(max_length=64)] | SkipJsonSchema[None] = None

    @property
    def selector(self) -> dict[str, str]:
        found = {name: getattr(self, name) for name in Selector.model_fields}
        return {name: value for name, value in found.items() if value is not None}

    @model_validator(mode="after")
    def _one_at_most(self) -> Self:
        if len(self.selector) > 1:
            raise ValueError(f"expected one selector at most, found {' and '.join(self.selector)}")
        return self


class CustomerBody(Body):
    """Profile fields to change; those left out stay."""

    name: Text | SkipJsonSchema[None] = None
    gender: Literal["female", "male", ""] | SkipJsonSchema[None] = None
    birthday: Annotated[Day, AfterValidator(_born)] | None = None
    city: Text | SkipJsonSchema[None] = None
    language: Literal["zh-CN", "zh-TW", "en", ""] | SkipJsonSchema[None] = None
    phone: Phone | SkipJsonSchema[None] = None
    fields: Own | SkipJsonSchema[None] = None

    def changes(self) -> describe.Changes:
        given = {name: getattr(self, name) for name in self.model_fields_set - {"phone", "fields"}}
        fields = {name: value for name, value in given.items() if value is not None or name == "birthday"}
        return describe.Changes(fields, self.phone, self.fields or {})


class MergeBody(Body):
    """Whom to merge her into."""

    into: Selector


class MergeAnswer(Answer):
    """A merge; `from` was merged into `into`."""

    id: str
    from_id: str = Field(alias="from")
    into: str


class CustomersAnswer(RootModel[Listing[CustomerAnswer] | CustomerAnswer]):
    """A page of customers; with a selector, the one it names."""


@api.get("/customers", responses=answers(CustomersAnswer))
@needs("customers:read")
def list_customers(query: CustomersQuery) -> Response:
    """The one customer a selector names, or a page of all."""
    session = edge.session()
    if query.selector:
        return reply(_card(service.resolve(session, Selector(**query.selector))))
    wanted = {name: value for name in FILTERS if (value := getattr(query, name)) is not None}
    found, following = finding.page(session, q=query.q or "", wanted=wanted, limit=query.limit, cursor=query.cursor)
    return reply(Listing[CustomerAnswer](data=cards(session, found), next_cursor=following))


@api.get("/customers/<id>", responses=answers(CustomerAnswer))
@needs("customers:read")
def get_customer(path: ById) -> Response:
    """One customer; a merged one answers its survivor."""
    return reply(_card(path.number))


@api.patch("/customers/<id>", responses=answers(CustomerAnswer))
@needs("customers:write")
def patch_customer(path: ById, body: CustomerBody) -> Response:
    """Change profile fields, or add a verified phone; one that is another customer's joins the two (C2)."""
    return reply(_card(describe.change(edge.session(), path.number, body.changes())))


@api.post("/customers/<id>/merge", responses=answers(MergeAnswer))
@needs("customers:write")
def merge_customer(path: ById, body: MergeBody) -> Response:
    """Merge this customer into another; `POST /merges/{id}/undo` takes it back."""
    session = edge.session()
    into = service.resolve(session, body.into)
    return reply(_merged(merge.merge(session, path.number, into, why=merge.ASKED)))


@api.post("/merges/<id>/undo", responses=answers(MergeAnswer))
@needs("customers:write")
def undo_merge(path: ById) -> Response:
    """Take a merge back: both stand on their own again; what was booked since stays with the survivor."""
    return reply(_merged(merge.undo(edge.session(), path.number)))


def _card(customer_id: int) -> CustomerAnswer:
    session = edge.session()
    return cards(session, [service.customer(session, customer_id)])[0]


def _merged(row: Merge) -> MergeAnswer:
    given: dict[str, Any] = {"id": str(row.id), "from": str(row.from_id), "into": str(row.into_id)}
    return MergeAnswer(**given)
