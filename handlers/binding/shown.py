"""Binding in what others show: the word in the chat, the placeholder, the timeline."""

from typing import Any

from sqlalchemy.orm import Session

from bot.core.i18n import say
from handlers.binding import service
from handlers.chat.asking import Asker, question
from handlers.messaging.placeholders import Reader, placeholder
from tags.timeline.service import Told, tells


@question(
    "bind", label=lambda locale: say(locale, "绑定订单"),
    words="""
    绑定 / 绑定手机 / 绑定手机号 / 绑定订单 / 绑定会员 / 绑定账号 / 关联订单 / 绑手机 / 怎么绑定 / 没有积分 /
    积分没到账 / 订单没有积分 / 我的订单没有积分 /
    bind / bind phone / bind order / bind my order / link my order / link my phone / connect my order /
    my order has no points
    """,
)  # fmt: skip
def bind(session: Session, asker: Asker) -> str:
    """The link to her page."""
    link = service.link(session, asker.customer_id)
    return say(asker.locale, "点这里绑定您的订单，之前买的也会有积分：%(link)s", link=link)


@placeholder("bind_link", "绑定链接", most_bytes=300, sample="https://…/h5/bind?t=…")
def bind_link(session: Session, reader: Reader) -> str:
    """Her way to the page that ties her orders to her."""
    return service.link(session, reader.customer_id)


@tells("customer.bound")
def bound(data: dict[str, Any], lang: str) -> Told:
    how = {"phone": say(lang, "用手机号"), "order": say(lang, "用订单号")}[data["how"]]
    text = say(lang, "绑定了 %(orders)s 笔订单", orders=data["orders"])
    if not data["points"]:
        return Told("link", "", text, how)
    return Told("link", "point", text, f"{how} · " + say(lang, "奖励 %(points)s 积分", points=f"{data['points']:,}"))
