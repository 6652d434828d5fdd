"""Why a rule was done for her, could not be, or never was (T3, C9): its hits, and the event each followed."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.errors import NotFound
from bot.core.events import EventRow
from bot.core.i18n import say
from tags.autotag.models import TagRule, TagRuleHit
from tags.people import service as people
from tags.timeline.why import Asked, Because, page_of, why


@page_of("rule", "/console/tags/rules/{}")
@why("rule")
def rule(session: Session, asked: Asked) -> Because:
    """Its last hit with her."""
    found, lang = session.get(TagRule, asked.number), asked.lang
    if found is None:
        raise NotFound(f"there is no rule {asked.id}")
    address = f"/console/tags/rules/{found.id}"
    hers = TagRuleHit.customer_id.in_(people.family(session, asked.customer_id))
    hits = select(TagRuleHit).where(TagRuleHit.rule_id == found.id, hers).order_by(TagRuleHit.id.desc())
    hit = session.scalar(hits.limit(1))
    if hit is None:
        text = say(lang, "规则「%(rule)s」从来没有为她执行过。", rule=found.name)
        reasons = [say(lang, "它现在是关着的。")] if not found.enabled else []
        return Because(text, reasons, address=address)
    event = session.scalar(select(EventRow).where(EventRow.id == hit.event_id))
    if hit.error:
        text = say(lang, "规则「%(rule)s」没能执行：%(error)s。", rule=found.name, error=hit.error)
    else:
        text = say(lang, "规则「%(rule)s」为她执行过。", rule=found.name)
    reasons = [say(lang, "那时是第 %(version)s 版。", version=hit.version)]
    return Because(text, reasons, event, address)
