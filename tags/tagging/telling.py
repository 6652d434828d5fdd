"""How the timeline tells what happens with tags."""

from typing import Any

from bot.core.i18n import say
from tags.tagging.events import TagAdded, TagRemoved
from tags.timeline.service import Told, calls, tells

Data = dict[str, Any]


@tells("tag.added")
def added(data: Data, lang: str) -> Told:
    return Told("tags", "", say(lang, "打上标签「%(tag)s」", tag=data["tag"]), _source(data, lang))


@tells("tag.removed")
def removed(data: Data, lang: str) -> Told:
    return Told("tags", "", say(lang, "去掉标签「%(tag)s」", tag=data["tag"]), _source(data, lang))


@tells("tag.deleted")
def deleted(data: Data, lang: str) -> Told:
    return Told("tags", "", say(lang, "标签「%(tag)s」已删除", tag=data["tag"]))


@tells("tag.overruled")
def overruled(data: Data, lang: str) -> Told:
    if data["change"] == "added":
        text = say(lang, "成员打的标签「%(tag)s」未生效：这里的改动更晚", tag=data["tag"])
    else:
        text = say(lang, "成员去掉标签「%(tag)s」未生效：这里的改动更晚", tag=data["tag"])
    return Told("tags", "alert", text, _source(data, lang))


def _source(data: Data, lang: str) -> str:
    """Who did it, in words."""
    source = str(data["source"])
    words = {
        "expiry": say(lang, "到期"), "tag deleted": say(lang, "标签已删除"), "rfm": say(lang, "按 RFM 算出"),
        "lifecycle": say(lang, "按生命周期算出"),
    }  # fmt: skip
    return words.get(source) or data["called"].get(source, source)


@calls(TagAdded)
def tag_added(lang: str) -> str:
    return say(lang, "打上标签")


@calls(TagRemoved)
def tag_removed(lang: str) -> str:
    return say(lang, "去掉标签")
