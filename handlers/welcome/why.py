"""Why she was welcomed as she was, or not at all (W1, C9): what became of the welcome of her last adding."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.wecom.outbox import OutboxRow
from handlers.messaging import service as messaging
from handlers.messaging.timeline import missing
from handlers.welcome import service
from handlers.welcome.models import Welcome
from tags.people import service as people
from tags.people import staff
from tags.people.models import Contact
from tags.timeline.why import Asked, Because, Question, asks, last, local, why


@why("welcome")
def welcome(session: Session, asked: Asked) -> Because:
    """The last welcome and its outcome, or what kept there from being one."""
    lang = asked.lang
    hers = Welcome.customer_id.in_(people.family(session, asked.customer_id))
    found = session.scalar(select(Welcome).where(hers).order_by(Welcome.added_at.desc(), Welcome.id.desc()).limit(1))
    if found is None:
        return _never(session, asked)
    event = last(
        session, asked.customer_id, "welcome.sent", "welcome.late", "welcome.refused",
        external_userid=found.external_userid, userid=found.userid,
    )  # fmt: skip
    member = staff.names(session, [found.userid]).get(found.userid, found.userid)
    reasons = [
        say(lang, "她在 %(at)s 加了成员 %(staff)s。", at=local(session, found.added_at, "%Y-%m-%d %H:%M"), staff=member)
    ]
    if found.content is not None:
        rule = say(lang, "「%(rule)s」", rule=found.rule) if found.rule else say(lang, "内置的那条")
        reasons.append(say(lang, "选中的欢迎语：%(rule)s。", rule=rule))
    reasons += missing(found.left_out, lang)
    return Because(_outcome(session, found, lang), [*reasons, *_late(session, found, lang)], event)


@asks(_l("欢迎语"))
def question(session: Session, customer_id: int) -> Sequence[Question]:
    return [Question("welcome", "")]


def _never(session: Session, asked: Asked) -> Because:
    """No adding was ever told of: she is a stranger, or WeCom's event never came and a reading showed her."""
    met = session.scalar(select(Contact.id).where(Contact.customer_id == asked.customer_id).limit(1))
    if met is None:
        return Because(say(asked.lang, "没有欢迎语：她没有加过任何成员。"))
    recorded = last(session, asked.customer_id, "contact.recorded", change="added")
    text = say(asked.lang, "没有欢迎语：企业微信没有把她的添加通知过来，是后来同步时才看到的。")
    return Because(text, event=recorded)


def _outcome(session: Session, found: Welcome, lang: str) -> str:
    if found.state == "sent":
        return say(lang, "欢迎语在添加时就发出了。")
    if found.state == "posted":
        return say(lang, "欢迎语已经交给企业微信，还没有回话。")
    if found.state == "none":
        return say(lang, "没有欢迎语：她是由管理员分配给成员的，不是自己加的。")
    if found.state == "refused":
        words = session.scalar(select(OutboxRow.error).where(OutboxRow.id == found.outbox_id))
        return say(lang, "欢迎语没有发出：%(words)s。", words=words or found.reason)
    return {
        "no_code": say(lang, "没有在添加时欢迎：企业微信没有给凭证，成员在管理后台有自己的欢迎语，或双方已在聊天。"),
        "half_added": say(lang, "没有在添加时欢迎：成员还没有通过她的添加，企业微信没有给凭证。"),
        "late": say(lang, "没有在添加时欢迎：超过了凭证的 20 秒。"),
        "another_first": say(lang, "没有在添加时欢迎：别的应用先发了，或双方已在聊天。"),
    }.get(found.reason, say(lang, "没有在添加时欢迎。"))


def _late(session: Session, found: Welcome, lang: str) -> list[str]:
    """What became of the same content on its other way."""
    if found.state != "late":
        return []
    delivery = messaging.of_dedupe(session, service.dedupe(found))
    if delivery is None:
        return []
    outcomes = {
        "sent": say(lang, "后来在微信客服里发给她了。"), "expired": say(lang, "7 天里她没有打开微信客服，没有再发。"),
        "refused": say(lang, "改由微信客服发，企业微信没有收：%(words)s。", words=delivery.reason),
        "withdrawn": say(lang, "它后来随迟到的凭证发了。"),
    }  # fmt: skip
    waiting = say(lang, "内容在等她打开微信客服：%(reason)s。", reason=say(lang, "现在没有能发的窗口"))
    return [outcomes[delivery.outcome] if delivery.outcome else waiting]
