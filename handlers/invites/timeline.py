"""How the timeline tells what invites announce (C4, C9)."""

from typing import Any

from bot.core.i18n import say
from handlers.invites.events import LinkClicked
from tags.timeline.service import Told, calls, tells


@tells("group.invited")
def invited(data: dict[str, Any], lang: str) -> Told:
    if data["reminder"]:
        return Told("users", "msg", say(lang, "收到「%(group)s」的进群提醒", group=data["segment_group"]))
    return Told("users", "msg", say(lang, "收到「%(group)s」的进群邀请", group=data["segment_group"]))


@tells("group.not_invited")
def not_invited(data: dict[str, Any], lang: str) -> Told:
    why = {
        "in_group": say(lang, "她已经在群里"), "joined_first": say(lang, "还没发出她就进群了"),
        "elsewhere": say(lang, "她现在归别的群"), "expired": say(lang, "7 天内没有能发给她的通道"),
        "refused": say(lang, "企业微信拒绝：%(words)s", words=data["detail"]),
    }  # fmt: skip
    text = say(lang, "没有发「%(group)s」的进群邀请", group=data["segment_group"])
    return Told("users", "", text, why[data["reason"]])


@tells("link.clicked")
def clicked(data: dict[str, Any], lang: str) -> Told:
    return Told("link", "", say(lang, "打开了进群邀请"))


@calls(LinkClicked)
def link_clicked(lang: str) -> str:
    return say(lang, "点击链接")
