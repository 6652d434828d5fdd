"""What messaging does when a message of its was settled, or turned out not to have arrived."""

from sqlalchemy.orm import Session

from bot.wecom.inbox import receives
from bot.wecom.messages import KfSendFailed
from bot.wecom.outbox import OutboxRow, settles
from handlers.messaging import leaving


@settles("kf_send_msg")
def part_settled(session: Session, row: OutboxRow) -> None:
    leaving.settled(session, row)


@settles("kf_send_msg_on_event")
def greeting_settled(session: Session, row: OutboxRow) -> None:
    leaving.greeted(session, row)


@receives(KfSendFailed)
def not_arrived(session: Session, message: KfSendFailed) -> None:
    leaving.failed_later(session, message.external_userid, message.open_kfid, message.fail_msgid, message.fail_type)
