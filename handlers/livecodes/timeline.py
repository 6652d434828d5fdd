"""How the timeline tells what live codes announce (C4, C9)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.operators.called import called, numbers
from handlers.livecodes.models import LiveCode
from tags.timeline.service import Told, tells


@tells("live_code.added")
def added(data: dict[str, Any], lang: str) -> Told:
    missed = "、".join(str(data["called"].get(f"tag:{one}", one)) for one in data["missed"])
    text = say(lang, "来自渠道活码「%(code)s」", code=data["name_of_code"])
    why = say(lang, "标签「%(names)s」已删除或还没有建好，没有打上", names=missed) if missed else ""
    return Told("qr-code", "", text, why)


@called("live_code")
def codes(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(LiveCode.id, LiveCode.name).where(LiveCode.id.in_(numbers(ids))))
    return {str(its_id): say(lang, "渠道活码「%(name)s」", name=name) for its_id, name in found}


@called("state")
def states(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    """A code's state is a random word; who came through it came through the code."""
    found = session.execute(select(LiveCode.state, LiveCode.name).where(LiveCode.state.in_(ids)))
    return {str(state): str(name) for state, name in found}
