"""What rules may wait for of links (T3)."""

from typing import Annotated, Literal

from sqlalchemy.orm import Session

from bot.core.i18n import say
from handlers.invites.events import LinkClicked
from tags.conditions.triggers import Choice, OneOf, Trigger, chooses, trigger


@trigger(LinkClicked, lambda lang: say(lang, "点击链接"))
class Clicked(Trigger):
    """She opened a link of ours. kind: of an invitation to her group."""

    kind: Annotated[Literal["invitation"] | None, OneOf("kind", lambda lang: say(lang, "链接"), "link_kind")] = None


@chooses("link_kind")
def kinds(session: Session, lang: str) -> list[Choice]:
    return [("invitation", say(lang, "入群邀请"), "")]
