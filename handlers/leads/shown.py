"""Leads on the timeline, and what records call their rules."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.operators.called import called, numbers
from handlers.leads.models import LeadRule
from tags.timeline.service import Told, tells


@called("lead_rule")
def rules(session: Session, ids: Sequence[str], lang: str) -> dict[str, str]:
    found = session.execute(select(LeadRule.id, LeadRule.name).where(LeadRule.id.in_(numbers(ids))))
    return {str(its_id): say(lang, "公海规则「%(name)s」", name=name) for its_id, name in found}


@tells("lead.handed_out")
def handed_out(data: dict[str, Any], lang: str) -> Told:
    return Told("user-plus", "", say(lang, "公海分给了成员 %(staff)s 去添加", staff=data["staff"]))


@tells("lead.ended")
def ended(data: dict[str, Any], lang: str) -> Told:
    text = {
        "added": say(lang, "成员 %(staff)s 的添加任务完成：她是好友了", staff=data["staff"]),
        "refused": say(lang, "成员 %(staff)s 说：她不愿意加", staff=data["staff"]),
        "no_answer": say(lang, "成员 %(staff)s 说：她没有回应", staff=data["staff"]),
        "returned": say(lang, "成员 %(staff)s 把她还回公海", staff=data["staff"]),
        "expired": say(lang, "成员 %(staff)s 到时间没有加上，回到公海", staff=data["staff"]),
    }[data["result"]]
    return Told("user", "", text, data["note"])
