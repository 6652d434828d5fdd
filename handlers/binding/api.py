"""Binding over REST: staff or the shop tie an order to a customer; the link to her page; how much is still nobody's."""

from typing import Annotated, Literal

from flask import Response
from pydantic import Field

from bot.web import edge
from bot.web.api import Answer, Body, ById, Moment, answers, reply, resource
from bot.web.guard import needs
from handlers.binding import service, unbound

api = resource(__name__, "bindings")


class BindingBody(Body):
    """The shop's number of the order that is hers."""

    order_id: Annotated[str, Field(min_length=1, max_length=128)]


class BoundAnswer(Answer):
    """customer_id: who she is now; orders: how many became hers; points: the reward."""

    customer_id: str
    orders: int
    points: int


class BindingAnswer(Answer):
    """What was tied to her, when, by whom."""

    at: Moment
    how: Literal["phone", "order"]
    orders: int
    points: int
    actor: str


class BindingsAnswer(Answer):
    """link: of her page, where she binds herself."""

    link: str
    data: list[BindingAnswer]


class UnboundAnswer(Answer):
    """Orders that count and whose customer nobody has as a contact; of how many customers, and what they paid."""

    orders: int
    customers: int
    net_fen: int


@api.post("/customers/<id>/bindings", responses=answers(BoundAnswer))
@needs("customers:write")
def post_binding(path: ById, body: BindingBody) -> Response:
    """Tie an order to her, with all others of the same stranger; `POST /merges/{id}/undo` takes it back."""
    bound = service.by_staff(edge.session(), path.number, body.order_id)
    return reply(BoundAnswer(customer_id=str(bound.customer_id), orders=bound.orders, points=bound.points))


@api.get("/customers/<id>/bindings", responses=answers(BindingsAnswer))
@needs("customers:read")
def get_bindings(path: ById) -> Response:
    """What was tied to her, and the link to her page."""
    session = edge.session()
    kept = [BindingAnswer.model_validate(one, from_attributes=True) for one in service.of(session, path.number)]
    return reply(BindingsAnswer(link=service.link(session, path.number), data=kept))


@api.get("/orders/unbound", responses=answers(UnboundAnswer))
@needs("orders:read")
def get_unbound() -> Response:
    """How many orders still have no contact (C7)."""
    found = unbound.count(edge.session())
    return reply(UnboundAnswer(orders=found.orders, customers=found.customers, net_fen=found.net_fen))
