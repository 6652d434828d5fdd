"""Why she has a tag, or has it no more (C9)."""

from sqlalchemy.orm import Session

from bot.core.i18n import say
from tags.tagging import service
from tags.tagging.errors import NoTag
from tags.tagging.models import Tag
from tags.timeline.why import Asked, Because, last, local, source_words, why


@why("tag")
def tag(session: Session, asked: Asked) -> Because:
    """The assignment with its source, or the last time it was taken off."""
    found = session.get(Tag, asked.number)
    if found is None:
        raise NoTag(asked.number)
    held = next((one for one in service.of(session, asked.customer_id) if one.tag.id == found.id), None)
    if held is not None:
        return _has(session, asked, held)
    gone = last(session, asked.customer_id, "tag.removed", tag_id=found.id)
    if gone is not None:
        return Because(say(asked.lang, "标签「%(tag)s」她有过，后来去掉了。", tag=found.name), event=gone)
    return Because(say(asked.lang, "她从来没有过标签「%(tag)s」。", tag=found.name))


def _has(session: Session, asked: Asked, held: service.Held) -> Because:
    lang, row = asked.lang, held.assignment
    reasons = [say(lang, "来源：%(source)s。", source=source_words(session, row.source, lang) or row.source)]
    if row.merge_id is not None:
        reasons.append(say(lang, "它是合并进来的客户带来的。"))
    if row.expires_at is not None:
        reasons.append(say(lang, "到 %(day)s 为止。", day=local(session, row.expires_at)))
    text = say(lang, "她有标签「%(tag)s」。", tag=held.tag.name)
    return Because(text, reasons, last(session, asked.customer_id, "tag.added", tag_id=held.tag.id))
