"""What rules may wait for of orders: paid, refunded (T3)."""

from collections.abc import Callable
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from bot.core.i18n import say
from tags.conditions.controls import Control, Lines
from tags.conditions.numbers import Compare
from tags.conditions.triggers import Filter, Number, Row, Trigger, trigger
from tags.orders.events import OrderPaid, OrderRefunded
from tags.orders.leaves import Word
from tags.orders.models import Order, OrderItem

Words = Annotated[list[Word], Field(min_length=1, max_length=100)]


class Bought(Filter):
    """One of the order's lines has one of these words. column: of order lines."""

    def __init__(self, label: Callable[[str], str], column: InstrumentedAttribute[str]) -> None:
        super().__init__("order_id", label)
        self._column = column.key

    def takes(self, session: Session, value: list[str], event: Any) -> bool:
        return bool(session.scalar(select(self._line(value, event.order_id))))

    def sql(self, value: list[str], row: Row) -> ColumnElement[bool]:
        return self._line(value, row.data["order_id"].astext)

    def words(self, session: Session, value: list[str], lang: str) -> str:
        named = say(lang, "、").join(say(lang, "「%(word)s」", word=word) for word in value)
        return say(lang, "%(label)s是%(names)s", label=self.label(lang), names=named)

    def controls(self, session: Session, name: str, lang: str, *, needed: bool, many: bool) -> list[Control]:
        return [Lines(name, self.label(lang), not needed)]

    def _line(self, words: list[str], order_id: Any) -> ColumnElement[bool]:
        order, item = aliased(Order), aliased(OrderItem)
        hers = order.order_id == order_id, item.order_number == order.id
        return exists().where(*hers, getattr(item, self._column).in_(words))


bought_sku = Bought(lambda lang: say(lang, "SKU"), OrderItem.sku)
bought_category = Bought(lambda lang: say(lang, "品类"), OrderItem.category)


@trigger(OrderPaid, lambda lang: say(lang, "下单付款"))
class Paid(Trigger):
    """The shop told of a paid order. sku, category: of one of its lines; total_fen: what she paid."""

    sku: Annotated[Words | None, bought_sku] = None
    category: Annotated[Words | None, bought_category] = None
    total_fen: Annotated[
        Compare | None, Number("total_fen", lambda lang: say(lang, "实付"), divide_by=100)
    ] = None  # fmt: skip


@trigger(OrderRefunded, lambda lang: say(lang, "退款"))
class Refunded(Trigger):
    """A part of an order was given back. sku, category: of one of the order's lines; amount_fen: of this refund."""

    sku: Annotated[Words | None, bought_sku] = None
    category: Annotated[Words | None, bought_category] = None
    amount_fen: Annotated[
        Compare | None, Number("amount_fen", lambda lang: say(lang, "退款"), divide_by=100)
    ] = None  # fmt: skip
