"""Choosing a welcome, sending it by its code, and what to do where that can't be (W1).

An adding is welcomed once. Half or full, whichever event comes first is the adding; a code that comes later with the
other event is used only where nothing has been said yet.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from bot.core.events import announce
from bot.core.i18n import say
from bot.core.installation import installation_of
from bot.wecom import errors, kf
from bot.wecom.outbox import URGENT, OutboxRow, post
from handlers.livecodes import service as livecodes
from handlers.livecodes.models import LiveCode
from handlers.materials import media
from handlers.messaging import service as messaging
from handlers.messaging.content import Content, LeftOut, material_ids
from handlers.messaging.enclosures import Enclosure, enclose, enclosures
from handlers.messaging.placeholders import reader
from handlers.messaging.rendering import render, welcome_payload
from handlers.welcome import rules
from handlers.welcome.events import WelcomeLate, WelcomeRefused, WelcomeSent
from handlers.welcome.models import Welcome, WelcomeRule
from handlers.welcome.when import of_row
from tags.people import cards
from tags.people.events import ContactAdded, WelcomeCodeCame

CODE_SECONDS = 20  # from CreateTime (wecom.md §3.7)
CODES_OWN = 0  # id of the welcome a live code has itself: older than any rule for it


@dataclass(frozen=True)
class Chosen:
    """The content for an adding, and the name of the rule that gave it."""

    rule: str
    content: Content


OF_ADDING = select(Welcome.id).where(Welcome.external_userid == bindparam("her"))
OF_ADDING = OF_ADDING.where(Welcome.userid == bindparam("member"), Welcome.added_at == bindparam("at"))
IN_FORCE = select(WelcomeRule.id, WelcomeRule.when).where(WelcomeRule.enabled)


def welcome(session: Session, added: ContactAdded) -> None:
    """Say the welcome of an adding, by its code if it has one; a second call says nothing (G5). She is locked."""
    adding = {"her": added.external_userid, "member": added.userid, "at": added.added_at}
    if session.scalar(OF_ADDING, adding) is not None:
        return
    made = Welcome(
        customer_id=added.customer_id, external_userid=added.external_userid, userid=added.userid,
        added_at=added.added_at, rule="", left_out=[], state="none", reason="",
    )  # fmt: skip
    if not added.welcome_code and added.add_way == rules.ASSIGNED:
        session.add(made)
        _refuse(session, made, "assigned", None)
        return
    chosen = choose(session, added)
    content, gave_way = enclose(chosen.content, _enclosed(session, added))
    made.left_out = [asdict(one) for one in gave_way]
    made.rule, made.content = chosen.rule, content.model_dump(mode="json")
    if added.welcome_code:
        _by_code(session, made, added.welcome_code, added.added_at)
        session.add(made)  # whole, in one statement: a burst of a thousand has 20 seconds
    else:
        session.add(made)
        session.flush()
        _late(session, made, "half_added" if added.half else "no_code", None)


def code_came(session: Session, came: WelcomeCodeCame) -> None:
    """A later event of the same adding brought a code: use it where nothing of the welcome has reached her yet."""
    last = select(Welcome).where(Welcome.external_userid == came.external_userid, Welcome.userid == came.userid)
    found = session.scalar(last.order_by(Welcome.added_at.desc()).limit(1).with_for_update())
    if found is None or found.state != "late":
        return
    if messaging.withdraw(session, dedupe(found), "it goes by the welcome code that came later"):
        _by_code(session, found, came.welcome_code, came.added_at)


def settled(session: Session, row: OutboxRow) -> None:
    """WeCom took a welcome, or refused it: what came too late goes another way, what is wrong an operator sees."""
    its = (Welcome.outbox_id == row.id, Welcome.state != "late")
    if row.state == "sent":
        sent = update(Welcome).where(*its).values(state="sent", reason="").returning(Welcome)
        for welcomed in session.scalars(sent, execution_options={"synchronize_session": False}):
            left_out = [LeftOut(**one) for one in welcomed.left_out]
            announce(session, WelcomeSent(**_about(welcomed), left_out=left_out))
        return
    found = session.scalar(select(Welcome).where(*its).with_for_update())
    if found is None or row.state == "unknown":
        return
    if row.errcode == rules.MEDIA_OVER:
        media.forget(session, material_ids([Content.model_validate(found.content)]))
    if _can_go_late(row.errcode):
        _late(session, found, rules.late_reason(row.errcode), row.errcode)
    else:
        _refuse(session, found, row.error or "refused", row.errcode)


def choose(session: Session, added: ContactAdded) -> Chosen:
    """The content of the closest rule, of the live code itself, or the built-in one."""
    code = livecodes.of_state(session, added.state)
    candidates = [rules.Rule(rule_id, of_row(when)) for rule_id, when in session.execute(IN_FORCE)]
    if code is not None and code.welcome:
        candidates.append(rules.Rule(CODES_OWN, rules.When(live_code_id=code.id)))
    zone = installation_of(session).settings.timezone
    customer: str = added.customer
    if customer == "returning" and cards.field(session, "lifecycle", added.customer_id or 0) == "lapsed":
        customer = "lapsed"
    case = rules.Case(code.id if code else None, added.userid, customer, added.added_at.astimezone(zone))
    rule = rules.choose(candidates, case)
    return _of_rule(session, code, rule) if rule else Chosen("", _built_in(session, added.customer_id or 0))


def _enclosed(session: Session, added: ContactAdded) -> list[Enclosure]:
    return [one for one in (put(session, added) for put in enclosures) if one is not None]


def _of_rule(session: Session, code: LiveCode | None, rule: rules.Rule) -> Chosen:
    if rule.id == CODES_OWN and code is not None:
        return Chosen(code.name, Content.model_validate(code.welcome))
    kept = session.get_one(WelcomeRule, rule.id)
    return Chosen(kept.name, Content.model_validate(kept.content))


def _built_in(session: Session, customer_id: int) -> Content:
    """Said where no rule applies; it leads her to the chat that answers, where there is one."""
    locale = reader(session, customer_id).locale
    if kf.link(session) is None:
        return Content(text=say(locale, "很高兴认识{name}！有什么需要，随时在这里找我。"))
    return Content(text=say(locale, "很高兴认识{name}！查积分、问问题，点这里找我们的微信客服：{link}"))


def _by_code(session: Session, found: Welcome, code: str, came_at: datetime) -> None:
    who = reader(session, found.customer_id, found.userid)
    rendered = render(session, Content.model_validate(found.content), who)
    found.left_out = [*found.left_out, *(asdict(one) for one in rendered.left_out)]
    payload = welcome_payload(rendered)
    if not payload:
        _refuse(session, found, "nothing_to_send", None)
        return
    found.state, found.reason = "posted", ""
    found.outbox_id = post(
        session, "send_welcome_msg", {"welcome_code": code, **payload}, purpose="welcome", dedupe=f"welcome:{code}",
        customer_id=who.customer_id, priority=URGENT, deadline=came_at + timedelta(seconds=CODE_SECONDS),
    )  # fmt: skip


def _can_go_late(errcode: int | None) -> bool:
    """WeCom said nothing against the content itself: no answer in time, no time left, or not this one's turn."""
    not_about_content = {rules.CODE_OVER, rules.CHATTING, rules.MEDIA_OVER, *errors.BUSY, *errors.NOT_ACCEPTED}
    return errcode is None or errcode in not_about_content


def _late(session: Session, found: Welcome, reason: str, errcode: int | None) -> None:
    found.state, found.reason = "late", reason
    announce(session, WelcomeLate(**_about(found), reason=reason, errcode=errcode))
    content = Content.model_validate(found.content)
    messaging.deliver(session, found.customer_id, "welcome", content, dedupe(found), found.userid)


def _refuse(session: Session, found: Welcome, reason: str, errcode: int | None) -> None:
    found.state, found.reason = ("none", reason) if reason == "assigned" else ("refused", "refused")
    announce(session, WelcomeRefused(**_about(found), reason=reason, errcode=errcode))


def _about(found: Welcome) -> dict[str, Any]:
    return {
        "customer_id": found.customer_id, "external_userid": found.external_userid, "userid": found.userid,
        "rule": found.rule,
    }  # fmt: skip


def dedupe(found: Welcome) -> str:
    """What its delivery is known by, where it did not go by a code."""
    return f"welcome:{found.id}"
