"""How the timeline tells what happens with orders."""

from typing import Any

from bot.core.i18n import say
from bot.core.money import yuan
from tags.orders.events import OrderPaid, OrderRefunded
from tags.timeline.service import Told, calls, tells

Data = dict[str, Any]


@tells("order.paid")
def paid(data: Data, lang: str) -> Told:
    money, item, pieces = yuan(data["total_fen"]), data["first_item"], data["pieces"]
    if pieces > 1:
        text = say(lang, "下单 %(money)s：%(item)s 等 %(n)s 件", money=money, item=item, n=pieces)
    elif pieces == 1:
        text = say(lang, "下单 %(money)s：%(item)s", money=money, item=item)
    else:
        text = say(lang, "下单 %(money)s", money=money)
    return Told("shopping-bag", "buy", text, say(lang, "订单 %(id)s", id=data["order_id"]))


@tells("order.refunded")
def refunded(data: Data, lang: str) -> Told:
    text = say(lang, "退款 %(money)s", money=yuan(data["amount_fen"]))
    return Told("undo-2", "alert", text, say(lang, "订单 %(id)s", id=data["order_id"]))


@calls(OrderPaid)
def order_paid(lang: str) -> str:
    return say(lang, "下单付款")


@calls(OrderRefunded)
def order_refunded(lang: str) -> str:
    return say(lang, "退款")
