"""How the timeline tells what live codes announce (C4, C9)."""

from typing import Any

from bot.core.i18n import say
from tags.timeline.service import Told, tells


@tells("live_code.added")
def added(data: dict[str, Any], lang: str) -> Told:
    missed = "、".join(str(one) for one in data["missed"])
    text = say(lang, "来自渠道活码「%(code)s」", code=data["name_of_code"])
    why = say(lang, "标签 %(ids)s 已删除或还没有建好，没有打上", ids=missed) if missed else ""
    return Told("qr-code", "", text, why)
