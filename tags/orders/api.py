"""Orders and refunds over REST, as the shop's backend tells them."""

from typing import Annotated

from flask import Response
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from bot.web import edge
from bot.web.api import Answer, Body, Fen, Past, Whole, answers, reply, resource
from bot.web.guard import needs
from tags.orders import place, receipts, refund
from tags.orders.errors import OtherContent
from tags.people import many
from tags.people import service as people
from tags.people.selector import Selector

api = resource(__name__, "orders")

OrderId = Annotated[str, Field(pattern=r"^[^/\s]{1,128}$", description="the shop's own id, without slash or space")]
Word = Annotated[str, Field(min_length=1, max_length=128)]
Text = Annotated[str, Field(max_length=256)]
Quantity = Annotated[Whole, Field(ge=1, le=1_000_000)]


class ItemBody(Body):
    """A line of an order."""

    sku: Word
    name: Text
    category: Text
    quantity: Quantity
    unit_price_fen: Fen


class OrderBody(Body):
    """A paid order. total_fen: what she paid; it may be below the items' sum. points_used: what she paid in points."""

    order_id: OrderId
    customer: Selector
    paid_at: Past
    total_fen: Fen
    items: Annotated[list[ItemBody], Field(max_length=500)]
    coupon_codes: Annotated[list[Word], Field(max_length=0, description="not yet: coupons come later")] = Field(
        default_factory=list
    )
    points_used: Annotated[Whole, Field(ge=0, le=10**12)] = 0


class EarnedAnswer(Answer):
    """Points: `base` is what this order changed in its month's base points, `bonus` what multipliers added."""

    base: int = 0
    bonus: int = 0


class IssuedAnswer(Answer):
    """A coupon the order brought her."""

    code: str
    template_id: str


class OrderAnswer(Answer):
    """An order as it was taken in."""

    id: str
    order_id: str
    customer_id: str
    points: EarnedAnswer = EarnedAnswer()
    coupons_issued: list[IssuedAnswer] = Field(default_factory=list)


class OrderPath(Body):
    """Path with the shop's order id."""

    order_id: OrderId


class RefundItemBody(Body):
    """Pieces given back. A shop may repeat the order's line whole; `sku` and `quantity` say which and how many."""

    sku: Word
    quantity: Quantity
    name: Text | SkipJsonSchema[None] = None
    category: Text | SkipJsonSchema[None] = None
    unit_price_fen: Fen | SkipJsonSchema[None] = None


class RefundBody(Body):
    """A refund of an order. amount_fen: money given back. items: which pieces, where the shop says so."""

    refund_id: OrderId
    amount_fen: Fen
    refunded_at: Past
    items: Annotated[list[RefundItemBody], Field(max_length=500)] = Field(default_factory=list)


class RefundAnswer(Answer):
    """A refund as it was taken in."""

    order_id: str
    refund_id: str
    amount_fen: int


@api.post("/orders", responses=answers(OrderAnswer, 200, 201))
@needs("orders:write")
def post_order(body: OrderBody) -> Response:
    """Take in a paid order: 201 if new, 200 if it is known with the same content.

    A selector nobody matches makes a customer without contact.
    """
    session = edge.session()
    known = place.find(session, body.order_id)
    if known is None:
        customer_id = many.resolve_or_make(session, body.customer, at=body.paid_at)
    else:
        found = people.find(session, body.customer)
        if found is None:
            raise OtherContent("order", body.order_id, ["customer"])
        customer_id = found
    items = tuple(place.Item(**item.model_dump()) for item in body.items)
    order = place.NewOrder(body.order_id, customer_id, body.paid_at, body.total_fen, items, body.points_used)
    fresh = place.place(session, [order])[body.order_id]
    kept = place.find(session, body.order_id)
    assert kept is not None
    answer = OrderAnswer(
        id=str(kept.id), order_id=kept.order_id, customer_id=str(people.survivor(session, kept.customer_id)),
        **receipts.of_order(session, kept.order_id),
    )  # fmt: skip
    return reply(answer, 201 if fresh else 200)


@api.post("/orders/<order_id>/refunds", responses=answers(RefundAnswer, 200, 201))
@needs("orders:write")
def post_refund(path: OrderPath, body: RefundBody) -> Response:
    """Take in a refund: 201 if new, 200 if it is known with the same content."""
    items = tuple((item.sku, item.quantity) for item in body.items)
    new = refund.NewRefund(body.refund_id, body.amount_fen, body.refunded_at, items)
    fresh = refund.refund(edge.session(), path.order_id, new)
    answer = RefundAnswer(order_id=path.order_id, refund_id=body.refund_id, amount_fen=body.amount_fen)
    return reply(answer, 201 if fresh else 200)
