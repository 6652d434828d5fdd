"""How the timeline tells what welcomes announce, and why there was none (C4, C9)."""

from typing import Any

from bot.core.i18n import say
from handlers.messaging.timeline import missing, together, why
from tags.timeline.service import Told, tells

Data = dict[str, Any]


@tells("welcome.sent")
def sent(data: Data, lang: str) -> Told:
    text = say(lang, "收到了成员 %(staff)s 的欢迎语", staff=data["staff"])
    return Told("message-circle", "msg", text, together(*_rule(data, lang), *missing(data["left_out"], lang)))


@tells("welcome.late")
def late(data: Data, lang: str) -> Told:
    reasons = {
        "no_code": say(lang, "企业微信没有给欢迎语凭证：成员在管理后台有自己的欢迎语，或双方已在聊天"),
        "half_added": say(lang, "成员还没有通过她的添加，企业微信没有给欢迎语凭证"),
        "late": say(lang, "超过了 20 秒"),
        "another_first": say(lang, "别的应用先发了，或双方已在聊天"),
    }
    text = say(lang, "欢迎语没有在添加时发出，改由微信客服发送")
    return Told("clock", "alert", text, together(str(reasons[data["reason"]]), *_rule(data, lang)))


@tells("welcome.refused")
def refused(data: Data, lang: str) -> Told:
    if data["reason"] == "assigned":
        return Told("message-circle", "", say(lang, "没有发欢迎语"), say(lang, "她是由管理员分配给成员的"))
    return Told("circle-x", "alert", say(lang, "欢迎语没有发出"), why(data, lang))


def _rule(data: Data, lang: str) -> list[str]:
    return [say(lang, "规则「%(rule)s」", rule=data["rule"])] if data["rule"] else []
