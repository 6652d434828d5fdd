"""What transfers do when WeCom answers, and when she goes over or stays (C5)."""

from typing import Any

from sqlalchemy.orm import Session

from bot.core.events import on
from bot.core.installation import Installation
from bot.wecom.client import WeCom
from bot.wecom.inbox import receives
from bot.wecom.outbox import OutboxRow, settles
from handlers.transfers import service
from handlers.transfers.service import OutcomeAsked, UnassignedAsked
from tags.people.events import ContactRemoved, TransferFailed


@settles("transfer_customer")
def begun(session: Session, row: OutboxRow) -> None:
    service.settled(session, row)


def outcome(installation: Installation, wecom: WeCom, asked: OutcomeAsked) -> list[dict[str, Any]]:
    return list(wecom.contact.transfer_result(asked.handover, asked.takeover, asked.resigned))


@receives(OutcomeAsked, read=outcome)
def told(session: Session, asked: OutcomeAsked, rows: list[dict[str, Any]]) -> None:
    service.take(session, asked, rows)


def unassigned(installation: Installation, wecom: WeCom, asked: UnassignedAsked) -> list[dict[str, Any]]:
    return list(wecom.contact.get_unassigned_list())


@receives(UnassignedAsked, read=unassigned)
def listed(session: Session, asked: UnassignedAsked, rows: list[dict[str, Any]]) -> None:
    service.left_behind(session, rows)


@on(ContactRemoved)
def gone_over(session: Session, event: ContactRemoved) -> None:
    if event.reason == "transferred":
        service.done(session, event.external_userid, event.userid)


@on(TransferFailed)
def stays(session: Session, event: TransferFailed) -> None:
    service.failed(session, event.external_userid, event.userid, event.reason)
