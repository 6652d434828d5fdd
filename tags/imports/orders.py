"""Orders from a file: a row is an order, or one line of it, then its rows stand together with the same number.

Each is what `POST /orders` would take: the same customer, sums, points, stage and scores follow, by the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce_all, history
from bot.core.installation import installation_of
from bot.web.api import BEGINNING, SKEW
from tags.imports import people
from tags.imports.kinds import Batch, Field, Outcome, importer
from tags.imports.reasons import Bad, Reason, reason
from tags.imports.values import Reader, amount, moment, whole, word
from tags.orders import place
from tags.people.many import Person

MOST_ITEMS = 500
MOST_FEN = 10**13
ORDER_ID = word(128, r"[^/\s]+")


@dataclass(slots=True)
class Told:
    """An order as the file has it, whom it names, and the places of its rows in the batch."""

    rows: range
    order_id: str
    person: Person
    paid_at: datetime
    total_fen: int
    items: tuple[place.Item, ...]


def fields(session: Session) -> Sequence[Field]:
    """What a column of a file of orders may be."""
    paid_at = _past(moment(installation_of(session).settings.timezone))
    return [
        Field(
            "order_id", _l("订单号"), "订单编号 / 单号 / order / order no / order number / tid", ORDER_ID, "20261124001"
        ),
        *people.selectors(),
        Field(
            "name", _l("姓名"), "收货人 / 买家 / 买家昵称 / 客户姓名 / 客户昵称 / customer name", word(128), "陈静怡"
        ),
        Field(
            "paid_at", _l("付款时间"),
            "支付时间 / 付款日期 / 支付日期 / 下单时间 / 订单时间 / 日期 / time / date / order date / paid / day",
            paid_at, "2026-11-24 10:24:05",
        ),
        Field(
            "total", _l("实付金额"),
            "实付 / 实收金额 / 订单金额 / 支付金额 / 付款金额 / 金额 / amount / paid amount / order total",
            amount, "268.00",
        ),
        Field("total_fen", _l("实付金额（分）"), "实付(分) / 金额(分) / amount_fen / fen", whole(0, MOST_FEN)),
        Field("sku", _l("商品编码"), "货号 / 商家编码 / 规格编码 / product / product id", word(128), "bean-250"),
        Field(
            "item", _l("商品名称"), "商品 / 品名 / 宝贝标题 / product name / item name", word(256), "耶加雪菲 250g"
        ),
        Field("category", _l("类目"), "分类 / 品类 / 商品分类 / 商品类目", word(256), "咖啡"),
        Field("quantity", _l("数量"), "件数 / 商品数量 / qty / count", whole(1, 1_000_000), "2"),
        Field("unit_price", _l("单价"), "商品单价 / 商品价格 / 价格 / price / item price", amount, "134.00"),
        Field("unit_price_fen", _l("单价（分）"), "单价(分) / price_fen", whole(0, MOST_FEN)),
    ]  # fmt: skip


def shaped(batch: Batch) -> list[Told]:
    """The orders of a batch whose rows can all be taken; the others' rows are rejected."""
    found: list[Told] = []
    lines = list(zip(*(batch.column(key) for key in ITEM), strict=True))
    leads = list(zip(*(batch.column(key) for key in LEAD), strict=True))
    selectors = [(key, batch.columns[key]) for key in people.KEYS if key in batch.columns]
    begins = 0
    for at in range(1, len(leads) + 1):
        if at < len(leads) and leads[at][0] is not None and leads[at][0] == leads[begins][0]:
            continue
        rows, begins = range(begins, at), at
        try:
            found.append(_order(batch, rows, leads, lines, selectors))
        except Bad as bad:
            batch.reject_all(rows, bad.reason)
    return found


LEAD = ("order_id", "name", "paid_at", "total", "total_fen")
ITEM = ("sku", "item", "category", "quantity", "unit_price", "unit_price_fen")
Line = tuple[str | None, str | None, str | None, int | None, int | None, int | None]
Selectors = list[tuple[str, list[Any]]]


def _order(
    batch: Batch, rows: range, leads: Sequence[tuple[Any, ...]], lines: Sequence[Line], selectors: Selectors
) -> Told:  # fmt: skip
    first = rows[0]
    if batch.rejected and any(at in batch.rejected for at in rows):
        broken = next(batch.rows[at] for at in rows if at in batch.rejected)
        raise Bad(reason("同一订单的第 %(row)s 行没有通过", row=broken))
    if len(rows) == 1:
        order_id, name, paid_at, total_fen, given_fen = leads[first]
        said = [(key, column[first]) for key, column in selectors if column[first] is not None]
    elif len(rows) > MOST_ITEMS:
        raise Bad(reason("一笔订单最多 %(most)s 行", most=MOST_ITEMS))
    else:
        order_id, name, paid_at, total_fen, given_fen = (
            _agreed(batch, rows, key, [leads[at][n] for at in rows]) for n, key in enumerate(LEAD)
        )
        agreed = [(key, _agreed(batch, rows, key, column[first : rows[-1] + 1])) for key, column in selectors]
        said = [(key, value) for key, value in agreed if value is not None]
    for key, value in (("order_id", order_id), ("paid_at", paid_at)):
        if value is None:
            raise Bad(Reason("不能为空", column=batch.heads[key]))
    items, listed_fen = _items([lines[at] for at in rows], given_fen if total_fen is None else total_fen)
    total_fen = next((fen for fen in (total_fen, given_fen, listed_fen) if fen is not None), None)
    if total_fen is None:
        raise Bad(reason("没有实付金额，也不是每件商品都有单价"))
    if total_fen > MOST_FEN:
        raise Bad(reason("应为不超过 %(most)s 元的金额", most=f"{MOST_FEN // 100:,}"))
    return Told(rows, order_id, people.person(batch, said, name, paid_at), paid_at, total_fen, items)


def _agreed(batch: Batch, rows: range, key: str, said: Sequence[Any]) -> Any:
    """What the rows of one order say in a column that is the order's; some may leave it empty."""
    values = [value for value in said if value is not None]
    if any(value != values[0] for value in values):
        raise Bad(Reason("与同一订单的第 %(row)s 行不同", {"row": batch.rows[rows[0]]}, batch.heads[key]))
    return values[0] if values else None


def _items(lines: Sequence[Line], total_fen: int | None) -> tuple[tuple[place.Item, ...], int | None]:
    """The lines of an order that name goods, and what they come to where each has a price.

    The price of a single line without one is its share of the total; of several it stays 0.
    """
    items, listed_fen, priced = [], 0, True
    for sku, name, category, quantity, yuan_fen, fen in lines:
        if sku is None and name is None and category is None:
            continue
        pieces, price = quantity or 1, fen if yuan_fen is None else yuan_fen
        priced &= price is not None
        listed_fen += pieces * (price or 0)
        if price is None:
            price = (total_fen or 0) // pieces if len(lines) == 1 else 0
        items.append(place.Item(sku or str(name or category)[:128], name or "", category or "", pieces, price))
    return tuple(items), listed_fen if items and priced else None


@importer(
    "orders", _l("订单"), permission="orders:write", fields=fields, together="order_id",
    needed=(("order_id",), ("paid_at",), people.KEYS, ("total", "total_fen", "unit_price", "unit_price_fen")),
    shape=shaped,
)  # fmt: skip
def take(session: Session, batch: Batch) -> Outcome:
    """Keep the orders of a batch and announce the new ones as history."""
    landed, outcome = land(session, batch)
    with history(session):
        announce_all(session, landed.paid())
    return outcome


def land(session: Session, batch: Batch) -> tuple[place.Landed, Outcome]:
    """Keep the orders of a batch with their customers and sums, without announcing them; what became of its rows."""
    told, orders = _named(session, batch, batch.shape)
    landed = place.land(session, orders)
    outcome = Outcome(new=sum(len(one.rows) for one in told))
    for at, differing in landed.known.items():
        outcome.new -= len(told[at].rows)
        if differing:
            batch.reject_all(told[at].rows, _other(told[at], "、".join(differing)))
        else:
            outcome.same += len(told[at].rows)
    return landed, outcome


def _named(session: Session, batch: Batch, told: list[Told]) -> tuple[list[Told], list[place.NewOrder]]:
    """The orders with their customers; those whose customer can't be said are rejected.

    Only the first of an order's number may make a stranger: a later one would leave her behind when it is refused.
    """
    stored = place.stored(session, [one.order_id for one in told])
    first: dict[str, Told] = {}
    for one in told:
        if first.setdefault(one.order_id, one) is not one or one.order_id in stored:
            one.person = one.person._replace(only_find=True)
    named, orders = [], []
    for one, who in zip(told, people.meant(session, batch, [one.person for one in told]).whose, strict=True):
        if isinstance(who, int):
            named.append(one)
            orders.append(place.NewOrder(one.order_id, who, one.paid_at, one.total_fen, one.items))
        elif who is None and one.order_id not in stored and (above := first[one.order_id].rows[0]) in batch.rejected:
            batch.reject_all(one.rows, reason("同一订单的第 %(row)s 行没有通过", row=batch.rows[above]))
        else:
            batch.reject_all(one.rows, who or _other(one, "customer"))
    return named, orders


def _other(one: Told, fields: str) -> Reason:
    return reason("订单 %(id)s 已经有了，%(fields)s 不一样", id=one.order_id, fields=fields)


def _past(read: Reader) -> Reader:
    def past(cell: str) -> datetime:
        at: datetime = read(cell)
        if not BEGINNING <= at <= clock.now() + SKEW:
            raise Bad(reason("应在 %(year)s 年之后，且不晚于现在", year=BEGINNING.year))
        return at

    return past
