"""What happens when she writes in 微信客服, opens it, or a member does something there (W2, W3)."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core.events import announce
from bot.wecom import kf
from bot.wecom.kf_messages import KfEntered, KfMessage, KfSessionChanged
from handlers.chat import handover, replies
from handlers.chat.asking import vocabulary
from handlers.chat.events import MessageReceived
from handlers.chat.models import Conversation
from handlers.chat.rules import language_of
from handlers.chat.strangers import Seen, meet
from handlers.messaging import service as messaging
from tags.people import service as people
from tags.people.models import Customer
from tags.people.touches import seen as seen_at

MOST_MISUNDERSTOOD = 2  # questions in a row, then a person takes over


def heard(session: Session, message: KfMessage, seen: Seen) -> None:
    """She wrote: it is kept, and answered unless a person has the conversation. Announces MessageReceived."""
    customer_id = meet(session, message, seen)
    hers = people.lock(session, customer_id)[0]
    conversation = conversation_of(session, message.open_kfid, message.external_userid)
    names = replies.understood(message.text, message.menu_id) if message.kind == "text" else None
    received = MessageReceived(
        customer_id=hers.id, open_kfid=message.open_kfid, msgid=message.msgid, kind=message.kind, text=message.text,
        asked=names or (),
    )  # fmt: skip
    announce(session, received, at=message.at)
    seen_at(session, hers.id, message.at)
    if message.kind == "text" and not message.menu_id:
        hers.language = language_of(message.text, hers.language, vocabulary())
    _look_who_has_it(session, conversation, hers, message, seen)
    quiet = conversation.handed_over_at is not None
    messaging.heard(session, hers.id, message.external_userid, message.open_kfid, message.at, quiet=quiet)
    if not quiet and kf.answers(session, message.open_kfid, message.at):
        _answer(session, conversation, hers, message, names)


def entered(session: Session, message: KfEntered, seen: Seen) -> None:
    """She opened the chat: where WeCom lets us, she is greeted once, with what can be asked."""
    customer_id = meet(session, message, seen, scene=message.scene, scene_param=message.scene_param)
    hers = people.lock(session, customer_id)[0]
    conversation = conversation_of(session, message.open_kfid, message.external_userid)
    if not message.welcome_code or conversation.handed_over_at is not None:
        return
    asker = replies.asker(session, conversation, hers.id)
    hello = replies.reply(session, asker, ())
    assert hello is not None
    greeting = hello.message(asker.locale)
    messaging.greet(
        session, hers.id, message.external_userid, message.open_kfid, message.welcome_code, greeting, message.at
    )


def session_changed(session: Session, message: KfSessionChanged) -> None:
    """A member took her, handed her on, or ended the session."""
    found = locked(session, message.open_kfid, message.external_userid)
    if found is None:
        return  # she is met when she writes
    if message.change_type == handover.OVER:
        handover.hand_back(session, *found, reason="ended", code=message.msg_code, at=message.at)
    else:
        handover.person_spoke(session, *found, message.new_servicer_userid, message.at)


def member_wrote(session: Session, message: KfMessage) -> None:
    """A member answered her in his client."""
    found = locked(session, message.open_kfid, message.external_userid)
    if found is not None:
        handover.person_spoke(session, *found, message.servicer_userid, message.at)


def conversation_of(session: Session, open_kfid: str, external_userid: str) -> Conversation:
    """Her conversation in an account, locked; begun where there was none."""
    new = {"external_userid": external_userid, "open_kfid": open_kfid, "misunderstood": 0, "turn": 0}
    session.execute(insert(Conversation).values(new).on_conflict_do_nothing())
    theirs = (Conversation.external_userid == external_userid) & (Conversation.open_kfid == open_kfid)
    rows = select(Conversation).where(theirs).with_for_update()
    return session.scalars(rows.execution_options(populate_existing=True)).one()


def locked(session: Session, open_kfid: str, external_userid: str) -> tuple[Conversation, int] | None:
    """Her conversation and she, both locked, she first; None where nobody knows her."""
    customer_id = people.owner(session, "external_userid", external_userid)
    if customer_id is None:
        return None
    hers = people.lock(session, customer_id)[0]
    return conversation_of(session, open_kfid, external_userid), hers.id


def handed_over_since(session: Session, open_kfid: str, external_userid: str) -> datetime | None:
    """Since when a person has her conversation, None where the bot has it."""
    theirs = (Conversation.external_userid == external_userid) & (Conversation.open_kfid == open_kfid)
    return session.scalar(select(Conversation.handed_over_at).where(theirs))


def _look_who_has_it(
    session: Session, conversation: Conversation, hers: Customer, message: KfMessage, seen: Seen
) -> None:
    """A person has it as long as WeCom says so and he is not silent for too long."""
    if conversation.handed_over_at is None:
        return
    confirmed = conversation.confirmed_at is not None and message.at >= conversation.confirmed_at
    if confirmed and seen.service_state in handover.BOT_STATES:
        handover.hand_back(session, conversation, hers.id, reason="nobody", at=message.at)
    elif conversation.ending_at is not None or handover.overdue(session, conversation):
        handover.end(session, conversation, hers.id, message.text, message.menu_id)


def _answer(
    session: Session, conversation: Conversation, hers: Customer, message: KfMessage, names: tuple[str, ...] | None
) -> None:
    asker = replies.asker(session, conversation, hers.id)
    if names is None:
        conversation.misunderstood += 1
        if conversation.misunderstood >= MOST_MISUNDERSTOOD:
            handover.hand_over(session, conversation, hers.id, reason="misunderstood")
            return
        reply: replies.Reply | None = replies.puzzled(asker.locale, is_text=message.kind == "text")
    else:
        conversation.misunderstood = 0
        reply = replies.reply(session, asker, names)
    if reply is not None:
        replies.send(session, asker, reply, dedupe=f"kf:{message.open_kfid}:{message.msgid}")
