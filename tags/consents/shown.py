"""Consent in what others show: the customer's object, the timeline, what conditions may ask for."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from bot.core.i18n import say
from tags.consents import service
from tags.consents.events import ConsentChanged
from tags.people.cards import facet
from tags.timeline.service import Told, calls, tells


def purpose_words(purpose: str, lang: str) -> str:
    """What a purpose is called."""
    return {"marketing": say(lang, "营销消息"), "personalisation": say(lang, "个性化推荐")}[purpose]


@facet("consent")
def consent(session: Session, customer_ids: Sequence[int]) -> Mapping[int, Any]:
    return service.states(session, customer_ids)


@tells("consent.changed")
def changed(data: dict[str, Any], lang: str) -> Told:
    purpose = purpose_words(data["purpose"], lang)
    why = {
        "chat": say(lang, "在聊天里说的"), "h5": say(lang, "在页面上点的"), "console": say(lang, "后台记的"),
        "api": say(lang, "接口记的"), "import": say(lang, "导入的"), "shop": say(lang, "在商城里"),
    }[data["how"]]  # fmt: skip
    if data["state"] == "given":
        return Told("circle-check", "", say(lang, "同意%(purpose)s", purpose=purpose), why)
    return Told("ban", "alert", say(lang, "退订了%(purpose)s", purpose=purpose), why)


@calls(ConsentChanged)
def consent_changed(lang: str) -> str:
    return say(lang, "同意或退订")
