"""What conditions ask of orders (T4). Spend is net of refunds; a fully refunded order counts for nothing (P2)."""

from datetime import datetime, timedelta
from typing import Annotated, Any

from flask_babel import lazy_gettext as _l
from pydantic import Field
from sqlalchemy import ColumnElement, Select, and_, exists, func, select
from sqlalchemy.orm import Session, aliased

from bot.core.i18n import say
from bot.web.api import Body
from tags.conditions.controls import BOUGHT, Comparison, Figure, Line, Sentence, Shown
from tags.conditions.counting import part
from tags.conditions.numbers import Compare, Days
from tags.conditions.tree import Asked, Leaf, Often, leaf
from tags.orders import sums
from tags.orders.models import Order, OrderItem
from tags.people.finding import totalled
from tags.people.service import by_owner, family_of

Word = Annotated[str, Field(min_length=1, max_length=128)]


class Orders(Body):
    """Which orders: with an item of this sku and category, paid within_days. How many of them, and what they come to
    after refunds (net_fen: whole orders, not only the items named); where neither is asked for, at least one.
    """

    sku: Word | None = None
    category: Word | None = None
    within_days: Days | None = None
    count: Compare | None = None
    net_fen: Compare | None = None

    @property
    def named(self) -> list[tuple[str, str]]:
        """What an item has to be: `("category", "咖啡")`."""
        return [(name, word) for name, word in (("sku", self.sku), ("category", self.category)) if word]

    @property
    def times(self) -> Compare | None:
        """How many there have to be."""
        return self.count or (Compare(gte=1) if self.net_fen is None else None)


@part(_l("近 90 天下过单"))
def lately() -> dict[str, Any]:
    """Of a count, those who ordered in the last 90 days."""
    return {"orders": {"within_days": 90}}


@leaf
class OrdersLeaf(Leaf, key="orders"):
    """What she bought."""

    orders: Orders
    shown = Shown(
        _l("订单"), BOUGHT,
        Sentence(
            _l("近 {within_days} 天买过品类 {category} SKU {sku}，次数 {count}，共付 {net_fen} 元"),
            Figure("orders.within_days", _l("天数"), optional=True),
            Line("orders.category", _l("品类"), optional=True), Line("orders.sku", "SKU", optional=True),
            Comparison("orders.count", _l("次数"), optional=True),
            Comparison("orders.net_fen", _l("金额"), optional=True, times=100),
        ),
        start={"orders": {"within_days": 90, "count": {"gte": 1}}},
    )  # fmt: skip

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        order, asks = aliased(Order), self.orders
        hers = order.customer_id.in_(family_of(asked.who)), *self._meant(order, asked)
        net = func.coalesce(func.sum(order.total_fen - order.refunded_fen), 0)
        asked_of = [(asks.times, func.count()), (asks.net_fen, net)]
        so = [compare.of(number) for compare, number in asked_of if compare is not None]
        return select(and_(*so)).where(*hers).correlate(asked.who.table).scalar_subquery()

    def found(self, asked: Asked) -> Select[int] | Often:
        """As every leaf's: one pass over the orders meant, where `holds` would look up each customer's."""
        order, asks = aliased(Order), self.orders
        if asks.named and asks.net_fen is None:
            return self._found_by_lines(asked)
        totals = by_owner(order, func.count(), func.sum(order.total_fen - order.refunded_fen))
        return totalled(totals.where(*self._meant(order, asked)), asks.times, asks.net_fen)

    def _found_by_lines(self, asked: Asked) -> Select[int] | Often:
        """The lines' index alone tells who bought what when; orders that came to nothing are few."""
        item, gone, asks = aliased(OrderItem), aliased(Order), self.orders
        wanted = [getattr(item, name) == word for name, word in asks.named]
        if asks.within_days is not None:
            wanted.append(item.paid_at > asked.now - timedelta(days=asks.within_days))
        wanted.append(item.order_number.not_in(select(gone.id).where(gone.refunded_at.is_not(None))))
        if asks.times is not None and not asks.times.so(0):
            return Often(by_owner(item).add_columns(item.order_number).where(*wanted), asks.times)
        return totalled(by_owner(item, func.count(item.order_number.distinct())).where(*wanted), asks.times)

    def aged(self, asked: Asked, since: datetime) -> Select[int] | None:
        """As every leaf's."""
        if self.orders.within_days is None:
            return None
        span = timedelta(days=self.orders.within_days)
        return sums.buyers_between((since - span, asked.now - span))

    def _meant(self, order: type[Order], asked: Asked) -> list[ColumnElement[bool]]:
        asks, item = self.orders, aliased(OrderItem)
        wanted: list[ColumnElement[bool]] = [order.refunded_at.is_(None)]
        if asks.within_days is not None:
            wanted.append(order.paid_at > asked.now - timedelta(days=asks.within_days))
        if asks.named:
            of_it = (getattr(item, name) == word for name, word in asks.named)
            wanted.append(exists().where(item.order_number == order.id, *of_it))
        return wanted

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        asks = self.orders
        what = "".join(say(lang, "「%(word)s」", word=word) for word in (asks.category, asks.sku) if word)
        said = say(lang, "买过%(what)s", what=what) if what else say(lang, "下过单")
        if asks.within_days is not None:
            said = say(lang, "近 %(days)s 天%(said)s", days=asks.within_days, said=said)
        if asks.count is not None:
            said = say(lang, "%(said)s %(times)s 次", said=said, times=asks.count.words())
        if asks.net_fen is not None:
            said = say(lang, "%(said)s，共付 %(money)s 元", said=said, money=asks.net_fen.words(divide_by=100))
        return said
