"""How the timeline tells what groups announce (C4)."""

from typing import Any

from bot.core.i18n import say
from tags.groups.events import GroupJoined, GroupLeft
from tags.timeline.service import Told, calls, tells


@tells("group.joined")
def joined(data: dict[str, Any], lang: str) -> Told:
    return Told("users", "", say(lang, "加入群「%(chat)s」", chat=data["chat"]))


@tells("group.left")
def left(data: dict[str, Any], lang: str) -> Told:
    return Told("users", "alert", say(lang, "离开群「%(chat)s」", chat=data["chat"]))


@tells("group.assigned")
def assigned(data: dict[str, Any], lang: str) -> Told:
    return Told("route", "", say(lang, "归入细分社群「%(group)s」", group=data["segment_group"]))


@tells("group.pointed_out")
def pointed_out(data: dict[str, Any], lang: str) -> Told:
    return Told("route", "", say(lang, "又被引向细分社群「%(group)s」", group=data["segment_group"]))


@tells("group.unassigned")
def unassigned(data: dict[str, Any], lang: str) -> Told:
    return Told("route", "", say(lang, "不再属于细分社群「%(group)s」", group=data["segment_group"]))


@calls(GroupJoined)
def group_joined(lang: str) -> str:
    return say(lang, "进群")


@calls(GroupLeft)
def group_left(lang: str) -> str:
    return say(lang, "退群")
