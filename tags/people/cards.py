"""The one object that is a customer (C3): people give its core, every feature above fills the fields it keeps.

    @facet("points")
    def balances(session: Session, customer_ids: Sequence[int]) -> dict[int, Any]: ...     # {id: {"balance": 1200}}

The fields and their defaults are `CustomerAnswer`'s; a facet answers for those of the customers it knows something of.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from typing import Any, Literal

from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.feature import Register
from bot.core.installation import installation_of
from bot.web.api import Answer, Moment
from tags.people import touches
from tags.people.models import Contact, Customer, Identity, Touch
from tags.people.phones import masked

Facet = Callable[[Session, Sequence[int]], Mapping[int, Any]]
facets: Register[tuple[str, Facet]] = Register("facets")


def facet(field: str) -> Callable[[Facet], Facet]:
    """Mark a function `(session, customer_ids)` that answers `field` of `CustomerAnswer` for survivors' ids."""
    return lambda function: facets.mark(function, (field, function))


class ContactAnswer(Answer):
    """A follow relation with one member. remark, description: what he calls her, and notes of her, in WeCom."""

    external_userid: str
    userid: str
    status: Literal["active", "customer_left", "staff_left", "transferred"]
    added_at: Moment
    state: str
    remark: str
    description: str


class HeldTagAnswer(Answer):
    """A tag she has. kind: corp, profile or computed; source: who put it on."""

    id: str
    name: str
    group: str
    kind: str
    source: str
    expires_at: Moment | None


class RfmAnswer(Answer):
    """Recency, frequency, monetary, 1 to 5, and the class they make (T5)."""

    r: int
    f: int
    m: int
    cls: str = Field(alias="class")


class PointsAnswer(Answer):
    """Her points; 1 point is worth 1 fen."""

    balance: int = 0


class OrdersAnswer(Answer):
    """Her orders of which something is left after refunds: how many, what they sum to, when she paid first and last."""

    count: int = 0
    net_fen: int = 0
    first_at: Moment | None = None
    last_at: Moment | None = None


class SeatAnswer(Answer):
    """A group chat she sits in."""

    chat_id: str
    name: str
    joined_at: Moment


class TouchAnswer(Answer):
    """A way she came to us (C1). name: of the live code, group or 微信客服 account; userid: of the member she added."""

    at: Moment
    channel: str
    name: str
    userid: str
    state: str
    add_way: int | None
    inviter_id: str | None


class SourceAnswer(Answer):
    """Her first and her newest touch, null for whom nothing is known of."""

    first: TouchAnswer | None = None
    last: TouchAnswer | None = None


class CustomerAnswer(Answer):
    """A customer: who she is, and what every feature keeps of her."""

    id: str
    name: str
    avatar: str
    gender: Literal["female", "male", ""]
    birthday: date | None
    city: str
    language: str
    contacts: list[ContactAnswer]
    unionid: str | None
    phone: str | None = Field(description="masked: 138****8000")
    tags: list[HeldTagAnswer] = Field(default_factory=list)
    tier: str | None = None
    lifecycle: str
    rfm: RfmAnswer | None = None
    points: PointsAnswer = PointsAnswer()
    orders: OrdersAnswer = OrdersAnswer()
    groups: list[SeatAnswer] = Field(default_factory=list)
    consent: dict[str, str] = Field(default_factory=dict, description="given, withdrawn or unknown, by purpose")
    fields: dict[str, str | int | float] = Field({}, description="custom fields she has a value in, by key")
    source: SourceAnswer
    created_at: Moment
    seen_at: Moment


def field(session: Session, name: str, customer_id: int) -> Any:
    """One field of a survivor's object that a feature fills; None where nothing is known of it."""
    return next((answer(session, [customer_id]).get(customer_id) for each, answer in facets if each == name), None)


def cards(session: Session, customers: Sequence[Customer]) -> list[CustomerAnswer]:
    """The objects of these customers (survivors), in their order, with one query a field whatever their number."""
    ids = [one.id for one in customers]
    contacts = _grouped(session.scalars(select(Contact).where(Contact.customer_id.in_(ids)).order_by(Contact.id)))
    unionids = select(Identity).where(Identity.customer_id.in_(ids), Identity.kind == "unionid").order_by(Identity.id)
    known = {one.customer_id: one.value for one in session.scalars(unionids)}
    came = touches.sources(session, ids)
    filled = {field: answer(session, ids) for field, answer in facets}
    return [
        _card(session, one, contacts.get(one.id, []), known.get(one.id), came.get(one.id),
              {field: found[one.id] for field, found in filled.items() if one.id in found})
        for one in customers
    ]  # fmt: skip


def _card(
    session: Session, customer: Customer, contacts: list[Contact], unionid: str | None,
    came: tuple[Touch, Touch] | None, filled: dict[str, Any],
) -> CustomerAnswer:  # fmt: skip
    vault = installation_of(session).vault
    core = {
        "id": str(customer.id), "name": customer.name, "avatar": customer.avatar, "gender": customer.gender,
        "birthday": customer.birthday, "city": customer.city, "language": customer.language,
        "contacts": [_contact(one) for one in contacts], "unionid": unionid,
        "phone": masked(vault.decrypt(customer.phone)) if customer.phone else None,
        "lifecycle": "contact" if contacts else "stranger", "created_at": customer.created_at,
        "seen_at": customer.seen_at, "source": _source(came),
    }  # fmt: skip
    return CustomerAnswer(**{**core, **filled})


def _contact(contact: Contact) -> ContactAnswer:
    return ContactAnswer.model_validate(contact, from_attributes=True)


def _source(came: tuple[Touch, Touch] | None) -> SourceAnswer:
    if came is None:
        return SourceAnswer()
    first, last = (
        TouchAnswer(
            at=one.at, channel=one.channel, name=one.detail.get("name", ""), userid=one.detail.get("userid", ""),
            state=one.state, add_way=one.add_way, inviter_id=None if one.inviter_id is None else str(one.inviter_id),
        )
        for one in came
    )  # fmt: skip
    return SourceAnswer(first=first, last=last)


def _grouped(contacts: Iterable[Contact]) -> dict[int, list[Contact]]:
    found: dict[int, list[Contact]] = {}
    for one in contacts:
        found.setdefault(one.customer_id, []).append(one)
    return found
