"""How the timeline tells what messaging announces (C4, C9)."""

from typing import Any

from bot.core.i18n import say
from tags.timeline.service import Told, tells

Data = dict[str, Any]


@tells("message.sent")
def sent(data: Data, lang: str) -> Told:
    return Told("message-circle", "msg", data["text"] or say(lang, "收到了我们的消息"), _purpose(data, lang))


@tells("message.waiting")
def waiting(data: Data, lang: str) -> Told:
    text = say(lang, "有一条消息在等她打开微信客服")
    return Told("clock", "alert", text, "; ".join([_purpose(data, lang), say(lang, "现在没有能主动发给她的通道")]))


@tells("message.refused")
def refused(data: Data, lang: str) -> Told:
    return Told("circle-x", "alert", say(lang, "有一条消息没有发到"), "; ".join([_purpose(data, lang), data["reason"]]))


@tells("message.expired")
def expired(data: Data, lang: str) -> Told:
    text = say(lang, "有一条消息等了 7 天没有发出，已作废")
    return Told("hourglass", "alert", text, _purpose(data, lang))


def _purpose(data: Data, lang: str) -> str:
    purposes = {
        "welcome": say(lang, "欢迎语"), "answer": say(lang, "对她的回答"), "transactional": say(lang, "通知"),
        "marketing": say(lang, "营销"),
    }  # fmt: skip
    return purposes[data["purpose"]]
