"""How the timeline tells what messaging announces (C4, C9)."""

from collections.abc import Iterable, Mapping
from typing import Any

from bot.core.i18n import say
from bot.wecom.errcodes import EXPLAINED
from tags.timeline.service import Told, tells

Data = Mapping[str, Any]


@tells("message.sent")
def sent(data: Data, lang: str) -> Told:
    return Told("message-circle", "msg", data["text"] or say(lang, "收到了我们的消息"), _purpose(data, lang))


@tells("message.waiting")
def waiting(data: Data, lang: str) -> Told:
    text = say(lang, "有一条消息在等她打开微信客服")
    return Told("clock", "alert", text, together(_purpose(data, lang), say(lang, "现在没有能主动发给她的通道")))


@tells("message.refused")
def refused(data: Data, lang: str) -> Told:
    return Told("circle-x", "alert", say(lang, "有一条消息没有发到"), together(_purpose(data, lang), why(data, lang)))


@tells("message.expired")
def expired(data: Data, lang: str) -> Told:
    text = say(lang, "有一条消息等了 7 天没有发出，已作废")
    return Told("hourglass", "alert", text, _purpose(data, lang))


def why(data: Data, lang: str) -> str:
    """The reason of a refusal in words: ours, or what WeCom's code means, or WeCom's own words."""
    reason = str(data["reason"])
    if data["errcode"] in EXPLAINED:
        return EXPLAINED[data["errcode"]][0 if lang.startswith("zh") else 1]
    ours = {
        "window_closed": say(lang, "48 小时内最多 5 条，已经用完或已过期"),
        "consent_withdrawn": say(lang, "她说过不要营销消息"),
        "nothing_to_send": say(lang, "没有可以发送的内容"),
        "fail_type 4": say(lang, "她上次发言已超过 48 小时"),
        "fail_type 5": say(lang, "会话已结束"),
        "fail_type 6": say(lang, "她上次发言后已发满 5 条"),
        "fail_type 10": say(lang, "她拒收了消息"),
        "fail_type 13": say(lang, "内容触发了安全限制"),
    }
    return str(ours.get(reason, reason))


def missing(left_out: Iterable[Mapping[str, str]], lang: str) -> list[str]:
    """What a message had to go without, a sentence each."""
    told = []
    for one in left_out:
        words = {
            "gave_way": say(lang, "第 %(what)s 个附件让位给了入群邀请", what=one["what"]),
            "cut": say(lang, "正文的末尾让位给了入群邀请"),
            "no_account": say(lang, "卡片「%(what)s」没有发：还没有可以链接的微信客服账号", what=one["what"]),
            "refused": say(lang, "素材 %(what)s 没有发：%(why)s", what=one["what"], why=one["detail"]),
        }
        told.append(str(words[one["why"]]))
    return told


def together(*parts: str) -> str:
    """Several reasons as one."""
    return " · ".join(part for part in parts if part)


def _purpose(data: Data, lang: str) -> str:
    purposes = {
        "welcome": say(lang, "欢迎语"), "answer": say(lang, "对她的回答"), "transactional": say(lang, "通知"),
        "marketing": say(lang, "营销"),
    }  # fmt: skip
    return str(purposes[data["purpose"]])
