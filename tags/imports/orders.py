"""Orders from a file: a row is an order, or one line of it, then its rows stand together with the same number.

Each is what `POST /orders` would take: the same customer, sums, points, stage and scores follow, by the same functions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
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
from tags.orders.events import OrderPaid
from tags.people.many import Person

MOST_ITEMS = 500
MOST_FEN = 10**13
OF_ORDER = ("order_id", "name", "paid_at", "total", "total_fen", *people.KEYS)
ORDER_ID = word(128, r"[^/\s]+")


@dataclass(frozen=True)
class Told:
    """An order as the file has it, whom it names, and the places of its rows in the batch."""

    rows: range
    person: Person
    order: place.NewOrder


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


@importer(
    "orders", _l("订单"), permission="orders:write", fields=fields, together="order_id",
    needed=(("order_id",), ("paid_at",), people.KEYS, ("total", "total_fen", "unit_price", "unit_price_fen")),
)  # fmt: skip
def take(session: Session, batch: Batch) -> Outcome:
    """Keep the orders of a batch and announce the new ones as history."""
    fresh, outcome = land(session, batch)
    with history(session):
        announce_all(session, fresh)
    return outcome


def land(session: Session, batch: Batch) -> tuple[list[OrderPaid], Outcome]:
    """Keep the orders of a batch with their customers and sums; what is left to announce, and what became of them."""
    told = _named(session, batch, _told(batch))
    landed = place.land(session, [one.order for one in told])
    outcome = Outcome()
    for at, one in enumerate(told):
        differing = landed.known.get(at)
        if differing:
            batch.reject_all(one.rows, _other(one, "、".join(differing)))
            continue
        outcome.customers.add(one.order.customer_id)
        if differing is None:
            outcome.new += len(one.rows)
        else:
            outcome.same += len(one.rows)
    return list(landed.fresh.values()), outcome


def _named(session: Session, batch: Batch, told: list[Told]) -> list[Told]:
    """The orders with their customers, strangers made for new ones; those whose customer can't be said are rejected."""
    ids = [one.order.order_id for one in told]
    stored = place.stored(session, ids)
    new = [one for one in told if one.order.order_id not in stored]
    old = [one for one in told if one.order.order_id in stored]
    made = people.meant(session, batch, [one.person for one in new]).whose
    met = people.found(session, [one.person for one in old])
    named = []
    for one, who in zip(new + old, [*made, *met], strict=True):
        if isinstance(who, int):
            named.append(replace(one, order=replace(one.order, customer_id=who)))
        else:
            batch.reject_all(one.rows, who or _other(one, "customer"))
    return named


def _other(one: Told, fields: str) -> Reason:
    return reason("订单 %(id)s 已经有了，%(fields)s 不一样", id=one.order.order_id, fields=fields)


def _told(batch: Batch) -> list[Told]:
    """The orders of a batch whose rows can all be taken; the others' rows are rejected."""
    ids, found, begins = batch.column("order_id"), [], 0
    for at in range(1, len(ids) + 1):
        if at < len(ids) and ids[at] is not None and ids[at] == ids[begins]:
            continue
        try:
            found.append(_order(batch, range(begins, at)))
        except Bad as bad:
            batch.reject_all(range(begins, at), bad.reason)
        begins = at
    return found


def _order(batch: Batch, rows: range) -> Told:
    broken = next((at for at in rows if at in batch.rejected), None)
    if broken is not None:
        raise Bad(reason("同一订单的第 %(row)s 行没有通过", row=batch.rows[broken]))
    if len(rows) > MOST_ITEMS:
        raise Bad(reason("一笔订单最多 %(most)s 行", most=MOST_ITEMS))
    columns = batch.columns
    said = {key: _agreed(batch, key, rows) for key in OF_ORDER if key in columns}
    for key in ("order_id", "paid_at"):
        if said[key] is None:
            raise Bad(Reason("不能为空", column=batch.heads[key]))
    items = [item for at in rows if (item := _item(batch, at)) is not None]
    total_fen = said.get("total") if said.get("total") is not None else said.get("total_fen")
    if total_fen is None:
        prices = [price * quantity for *_, quantity, price in items if price is not None]
        if not items or len(prices) < len(items):
            raise Bad(reason("没有实付金额，也不是每件商品都有单价"))
        total_fen = sum(prices)
    if total_fen > MOST_FEN:
        raise Bad(reason("应为不超过 %(most)s 元的金额", most=f"{MOST_FEN // 100:,}"))
    alone = len(items) == 1
    lines = tuple(
        place.Item(sku, name, category, pieces, (total_fen // pieces if alone else 0) if price is None else price)
        for sku, name, category, pieces, price in items
    )
    order = place.NewOrder(said["order_id"], 0, said["paid_at"], total_fen, lines)
    return Told(rows, people.person(batch, said, said["paid_at"]), order)


def _agreed(batch: Batch, key: str, rows: range) -> Any:
    """What the rows of one order say in a column that is the order's; some may leave it empty."""
    column = batch.columns[key]
    first = column[rows[0]]
    for at in rows[1:]:
        if column[at] is not None and column[at] != first:
            if first is not None:
                raise Bad(Reason("与同一订单的第 %(row)s 行不同", {"row": batch.rows[rows[0]]}, batch.heads[key]))
            first = column[at]
    return first


def _item(batch: Batch, at: int) -> tuple[str, str, str, int, int | None] | None:
    """A row as a line of its order: sku, name, category, quantity, price in fen; None where it names no goods."""
    sku, name, category, quantity, price, price_fen = (
        batch.columns[key][at] if key in batch.columns else None
        for key in ("sku", "item", "category", "quantity", "unit_price", "unit_price_fen")
    )
    if sku is None and name is None and category is None:
        return None
    called = sku or str(name or category)[:128]
    return called, name or "", category or "", quantity or 1, price if price is not None else price_fen


def _past(read: Reader) -> Reader:
    def past(cell: str) -> datetime:
        at: datetime = read(cell)
        if not BEGINNING <= at <= clock.now() + SKEW:
            raise Bad(reason("应在 %(year)s 年之后，且不晚于现在", year=BEGINNING.year))
        return at

    return past
