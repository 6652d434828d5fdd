"""Changing hands (W3): the bot is silent while a person has the conversation, and speaks again when he is done.

What the bot says at a change goes with the code WeCom gives for it: so it is said once, and never into the person's
session.
"""

from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce
from bot.core.i18n import say
from bot.core.preferences import preference
from bot.wecom.outbox import URGENT, OutboxRow, post
from handlers.chat import replies
from handlers.chat.asking import Asker
from handlers.chat.events import HandedBack, HandedOver, HandOverFailed
from handlers.chat.models import Conversation
from handlers.messaging import service as messaging

BOT_STATES = (0, 1)  # service_state of a session that no person has (wecom.md §4.2)
POOL, SERVED, ENDED = 2, 3, 4
TAKEN, TRANSFERRED, OVER, REENTERED = 1, 2, 3, 4  # change_type of session_status_change
GATHERED = timedelta(seconds=2)  # what she wrote before the end and we pull after it is answered with the rest
ENDED_SECONDS, MOVED_HOURS = 20, 48  # how long the code of a session's end lasts, and that of a move to a person

Userid = Annotated[str, Field(min_length=1, max_length=64)]

hand_over_minutes = preference(
    "hand_over_minutes", Annotated[int, Field(ge=1, le=2880)], default=30, home=__name__,
    help="Minutes without a word of the person who has a conversation, after which the bot answers in it again.",
)  # fmt: skip
kf_servicers = preference(
    "kf_servicers", tuple[Userid, ...], default=(), home=__name__,
    help="Members (userid) whom 人工 is handed to, the first who is receiving; empty is the pool of the account.",
)  # fmt: skip


def hand_over(session: Session, conversation: Conversation, customer_id: int, *, reason: str) -> None:
    """A person shall have the conversation; from now on the bot is silent in it. Announces HandedOver.

    reason: as HandedOver has it.
    """
    if conversation.handed_over_at is not None:
        return
    conversation.turn += 1
    _with_a_person(conversation, clock.now())
    servicers = kf_servicers.of(session)
    to = servicers[0] if servicers else ""
    _move(session, conversation, customer_id, SERVED if to else POOL, to)
    announce(session, HandedOver(customer_id=customer_id, open_kfid=conversation.open_kfid, to=to, reason=reason))


def person_spoke(session: Session, conversation: Conversation, customer_id: int, userid: str, at: datetime) -> None:
    """A member took the conversation, or wrote in it; where the bot still had it, it is his now."""
    if conversation.handed_over_at is None:
        conversation.turn += 1
        _with_a_person(conversation, at)
        taken = HandedOver(customer_id=customer_id, open_kfid=conversation.open_kfid, to=userid, reason="taken")
        announce(session, taken)
    conversation.human_at = max(at, conversation.human_at or at)
    conversation.confirmed_at = conversation.confirmed_at or at


def hand_back(
    session: Session, conversation: Conversation, customer_id: int, *, reason: str, at: datetime, code: str = ""
) -> None:
    """The bot has the conversation again since `at`; with a code of WeCom's it says so, once. Announces HandedBack.

    reason: as HandedBack has it. What she asked while the person's session was ending is answered in that message.
    """
    if conversation.handed_over_at is None:
        return
    asked, conversation.asked = conversation.asked, None
    conversation.handed_over_at = conversation.confirmed_at = conversation.human_at = None
    conversation.ending_at = conversation.end_code = conversation.ended_at = None
    announce(session, HandedBack(customer_id=customer_id, open_kfid=conversation.open_kfid, reason=reason))
    asker = replies.asker(session, conversation, customer_id)
    hello = replies.Reply(say(asker.locale, "我是小助手，我回来了。您可以直接问我，也可以点下面的选项："), menu=True)
    if asked:
        names = [name for text, menu_id in asked for name in replies.understood(text, menu_id) or ()]
        hello = (names and replies.reply(session, asker, tuple(names))) or hello
    if code:
        say_with(session, conversation, asker, code, hello, until=at + timedelta(seconds=ENDED_SECONDS))
    elif asked:
        replies.send(session, asker, hello, dedupe=f"back:{conversation.id}:{conversation.turn}")


def end(session: Session, conversation: Conversation, customer_id: int, text: str, menu_id: str) -> None:
    """Ask WeCom to end the session of a person who is silent too long, since she has written again.

    `speak_again` then hands back, and answers her. Not before she writes: until then the person may find the time.
    """
    conversation.asked = [*(conversation.asked or []), [text, menu_id]]
    if conversation.ending_at is None:
        conversation.ending_at = clock.now()
        _move(session, conversation, customer_id, ENDED)


def speak_again(session: Session, conversation: Conversation, customer_id: int) -> None:
    """The person's session was ended: hand back, and answer all she wrote until now by the one code for it."""
    if conversation.ended_at is not None:
        at, code = conversation.ended_at, conversation.end_code or ""
        hand_back(session, conversation, customer_id, reason="overdue", at=at, code=code)


def overdue(session: Session, conversation: Conversation) -> bool:
    """Whether the person has been silent for too long."""
    silent = timedelta(minutes=hand_over_minutes.of(session))
    return conversation.human_at is not None and clock.now() >= conversation.human_at + silent


def moved(session: Session, conversation: Conversation, customer_id: int, row: OutboxRow) -> None:
    """WeCom moved the session as `row` asked, or refused to; an unknown move is repeated by the outbox.

    Where that ended it, the caller lets `speak_again` follow after `GATHERED`.
    """
    wanted = row.payload["service_state"]
    if row.state == "unknown" or row.dedupe != _dedupe(conversation, wanted, row.payload.get("servicer_userid", "")):
        return
    code = (row.answer or {}).get("msg_code") or ""
    if wanted == ENDED:
        conversation.end_code, conversation.ended_at = code, clock.now()
    elif row.state == "refused":
        _try_next(session, conversation, customer_id, row)
    else:
        conversation.confirmed_at = clock.now()
        if code:
            asker = replies.asker(session, conversation, customer_id)
            goodbye = replies.Reply(say(asker.locale, "好的，正在为您转接人工客服，请稍候。"))
            say_with(session, conversation, asker, code, goodbye, until=clock.now() + timedelta(hours=MOVED_HOURS))


def say_with(
    session: Session, conversation: Conversation, asker: Asker, code: str, reply: replies.Reply, *, until: datetime
) -> None:
    """Say one thing with the code of a change of hands, which is good until `until`."""
    post(
        session, "kf_send_msg_on_event", {"code": code, **reply.message(asker.locale)}, purpose="answer",
        dedupe=f"hands:{conversation.id}:{code}", customer_id=asker.customer_id, priority=URGENT, deadline=until,
    )  # fmt: skip


def unsaid(session: Session, conversation: Conversation, customer_id: int, row: OutboxRow) -> None:
    """A code came too late; what the bot, back again, had to say goes as an answer."""
    if conversation.handed_over_at is None:
        message = {name: value for name, value in row.payload.items() if name != "code"}
        messaging.answer(session, customer_id, conversation.open_kfid, [message], dedupe=f"unsaid:{row.id}")


def _try_next(session: Session, conversation: Conversation, customer_id: int, row: OutboxRow) -> None:
    """The servicer can't take her: the next one, then the pool; where that fails too, the bot keeps her and says so."""
    servicers = [*kf_servicers.of(session), ""]
    refused = row.payload.get("servicer_userid", "")
    following = servicers[servicers.index(refused) + 1 :] if refused in servicers else [""] if refused else []
    if following:
        to = following[0]
        _move(session, conversation, customer_id, SERVED if to else POOL, to)
        return
    conversation.handed_over_at = conversation.human_at = None
    failed = HandOverFailed(customer_id=customer_id, open_kfid=conversation.open_kfid, reason=row.error or "")
    announce(session, failed)
    asker = replies.asker(session, conversation, customer_id)
    sorry = say(asker.locale, "现在转不了人工客服，我先记下了。请稍后再回复「人工」试试，或者直接联系您的专属顾问。")
    replies.send(session, asker, replies.Reply(sorry), dedupe=f"sorry:{conversation.id}:{conversation.turn}")


def _with_a_person(conversation: Conversation, at: datetime) -> None:
    conversation.handed_over_at = conversation.human_at = at
    conversation.confirmed_at = conversation.asked = None
    conversation.ending_at = conversation.end_code = conversation.ended_at = None
    conversation.misunderstood = 0


def _move(session: Session, conversation: Conversation, customer_id: int, state: int, servicer: str = "") -> None:
    payload: dict[str, Any] = {
        "open_kfid": conversation.open_kfid, "external_userid": conversation.external_userid, "service_state": state
    }  # fmt: skip
    if servicer:
        payload["servicer_userid"] = servicer
    post(
        session, "kf_trans_service_state", payload, purpose="answer", priority=URGENT, customer_id=customer_id,
        dedupe=_dedupe(conversation, state, servicer),
    )  # fmt: skip


def _dedupe(conversation: Conversation, state: int, servicer: str) -> str:
    return f"hands:{conversation.id}:{conversation.turn}:{state}:{servicer}"
