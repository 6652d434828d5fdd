"""What WeCom tells of the chats (wecom.md §4.3), and what becomes of what we ask of it."""

import structlog
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.core.installation import Installation
from bot.core.jobs import enqueue
from bot.wecom.client import WeCom
from bot.wecom.errors import WeComError
from bot.wecom.inbox import receives
from bot.wecom.kf_messages import CUSTOMER, KfEntered, KfMessage, KfSessionChanged
from bot.wecom.messages import AppMessage
from bot.wecom.outbox import URGENT, OutboxRow, post, settles
from handlers.chat import handover, jobs, service
from handlers.chat.models import Conversation
from handlers.chat.strangers import Seen, read_profile
from tags.people import service as people

log = structlog.get_logger(__name__)

WITH_A_PERSON = 95018  # a message into a session that a person has
NOBODY = Seen()


def look(installation: Installation, wecom: WeCom, message: KfMessage | KfEntered) -> Seen:
    """Who she is, where she is new; who has her session, where a person did."""
    if isinstance(message, KfMessage) and message.origin != CUSTOMER:
        return NOBODY
    profile = read_profile(installation, wecom, message.external_userid)
    with installation.transaction("system") as session:
        handed_over = service.handed_over_since(session, message.open_kfid, message.external_userid)
    if handed_over is None:
        return Seen(profile)
    try:
        found = wecom.kf.get_service_state(message.open_kfid, message.external_userid)
    except WeComError as error:
        log.warning("nobody can say who has the session", external_userid=message.external_userid, error=str(error))
        return Seen(profile)
    return Seen(profile, int(found["service_state"]))


@receives(KfMessage, read=look)
def wrote(session: Session, message: KfMessage, seen: Seen) -> None:
    if message.origin == CUSTOMER:
        service.heard(session, message, seen)
    else:
        service.member_wrote(session, message)


@receives(KfEntered, read=look)
def entered(session: Session, message: KfEntered, seen: Seen) -> None:
    service.entered(session, message, seen)


@receives(KfSessionChanged)
def changed(session: Session, message: KfSessionChanged) -> None:
    service.session_changed(session, message)


@receives(AppMessage)
def member_asked(session: Session, message: AppMessage) -> None:
    """A member who writes to the app is told where the answers are (W2)."""
    text = say(
        "zh_CN",
        "您好，客户的积分、等级和标签请在后台的客户页查看；客户自己可以在微信客服里问「我的积分」。",
    )
    post(
        session, "message_send", {"touser": message.userid, "msgtype": "text", "text": {"content": text}},
        purpose="answer", dedupe=f"app:{message.userid}:{message.msgid or message.at.isoformat()}", priority=URGENT,
    )  # fmt: skip


@settles("kf_trans_service_state")
def moved(session: Session, row: OutboxRow) -> None:
    found = service.locked(session, row.payload["open_kfid"], row.payload["external_userid"])
    if found is not None:
        conversation, customer_id = found
        handover.moved(session, conversation, customer_id, row)
        if conversation.ended_at is not None:
            soon = conversation.ended_at + handover.GATHERED
            enqueue(session, jobs.speak_again, conversation_id=conversation.id, at=soon)


@settles("kf_send_msg")
def refused(session: Session, row: OutboxRow) -> None:
    """A person has a session that we took for ours."""
    if row.errcode == WITH_A_PERSON and row.settled_at is not None:
        found = service.locked(session, row.payload["open_kfid"], row.payload["touser"])
        if found is not None:
            handover.person_spoke(session, *found, "", row.settled_at)


@settles("kf_send_msg_on_event")
def said(session: Session, row: OutboxRow) -> None:
    kind, _, rest = (row.dedupe or "").partition(":")
    if kind != "hands" or row.state != "refused":
        return
    conversation = session.get(Conversation, int(rest.partition(":")[0]), with_for_update=True)
    if conversation is not None and row.customer_id is not None:
        handover.unsaid(session, conversation, people.survivor(session, row.customer_id), row)
