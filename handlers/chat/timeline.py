"""How the timeline tells what happens in a chat (C4, C9)."""

from typing import Any

from bot.core.i18n import say
from handlers.chat.events import MessageReceived
from tags.timeline.service import Told, calls, tells

Data = dict[str, Any]


@tells("message.received")
def received(data: Data, lang: str) -> Told:
    if data["kind"] != "text":
        return Told("message-square", "msg", say(lang, "在微信客服发来一条%(kind)s消息", kind=data["kind"]))
    return Told("message-square", "msg", say(lang, "在微信客服问：「%(words)s」", words=data["text"]))


@tells("chat.handed_over")
def handed_over(data: Data, lang: str) -> Told:
    why = {
        "asked": say(lang, "她要求人工"), "misunderstood": say(lang, "连续两句没有看懂"),
        "taken": say(lang, "成员接走了会话"),
    }  # fmt: skip
    return Told("message-square", "alert", say(lang, "会话转给人工"), why[data["reason"]])


@tells("chat.handed_back")
def handed_back(data: Data, lang: str) -> Told:
    why = {
        "ended": say(lang, "成员结束了会话"), "overdue": say(lang, "人工太久没有回应"),
        "nobody": say(lang, "企业微信里已没有人接待"),
    }  # fmt: skip
    return Told("message-square", "", say(lang, "会话交还给机器人"), why[data["reason"]])


@tells("chat.hand_over_failed")
def hand_over_failed(data: Data, lang: str) -> Told:
    return Told("message-square", "alert", say(lang, "没有转成人工"), data["reason"])


@calls(MessageReceived)
def message_received(lang: str) -> str:
    return say(lang, "发来消息")
