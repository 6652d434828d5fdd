"""How the timeline tells what live codes announce (C4, C9)."""

from typing import Any

from bot.core.i18n import say
from tags.timeline.service import Told, tells


@tells("live_code.added")
def added(data: dict[str, Any], lang: str) -> Told:
    missed = "; ".join(data["missed"])
    text = say(lang, "来自渠道活码「%(code)s」", code=data["name_of_code"])
    return Told("qr-code", "", text, say(lang, "没有打上的标签：%(why)s", why=missed) if missed else "")
