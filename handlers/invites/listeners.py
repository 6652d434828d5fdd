"""What invites do when a route becomes hers, something leaves for her, or she joins (T7)."""

import json

from sqlalchemy.orm import Session

from bot.core.events import on
from bot.core.jobs import enqueue
from bot.wecom.outbox import OutboxRow, settles
from handlers.invites import jobs, service
from handlers.livecodes.events import CameByLiveCode
from handlers.livecodes.models import LiveCode
from handlers.messaging.enclosures import Enclosure, encloses
from handlers.messaging.events import MessageExpired, MessageRefused, MessageSent, MessageWaiting
from handlers.messaging.models import Delivery
from handlers.welcome.events import WelcomeRefused
from tags.groups import routes
from tags.groups.events import GroupAssigned, GroupJoined, GroupPointedOut, GroupUnassigned
from tags.groups.models import GroupAssignment
from tags.people.events import ContactAdded


@on(GroupAssigned)
def assigned(session: Session, event: GroupAssigned) -> None:
    """The job runs after the commit, when a welcome made in this transaction has taken what it carries."""
    if event.invite:
        _begin(session, session.get_one(GroupAssignment, event.assignment_id))


@on(GroupPointedOut)
def pointed_out(session: Session, event: GroupPointedOut) -> None:
    _begin(session, session.get_one(GroupAssignment, event.assignment_id))


@on(GroupUnassigned)
def unassigned(session: Session, event: GroupUnassigned) -> None:
    service.withdraw(session, event.assignment_id)


@on(CameByLiveCode)
def came(session: Session, event: CameByLiveCode) -> None:
    """A code may lead into a segment group whose tag she had already, uninvited until now."""
    code = session.get_one(LiveCode, event.live_code_id)
    if code.segment_group_id is not None and event.customer_id is not None:
        routes.lead(session, event.customer_id, code.segment_group_id)


@encloses
def invitation(session: Session, added: ContactAdded) -> Enclosure | None:
    enclosed = service.enclose(session, added.customer_id) if added.customer_id is not None else None
    return Enclosure(*enclosed) if enclosed else None


@settles("send_welcome_msg")
def welcomed(session: Session, row: OutboxRow) -> None:
    if row.state == "sent" and row.customer_id is not None:
        service.carried(session, row.customer_id, json.dumps(row.payload), "welcome")


@on(MessageSent)
def sent(session: Session, event: MessageSent) -> None:
    delivery = session.get_one(Delivery, event.delivery_id)
    if event.customer_id is not None and delivery.content is not None:
        service.carried(session, event.customer_id, json.dumps(delivery.content), "kf")


@on(MessageWaiting)
def message_waits(session: Session, event: MessageWaiting) -> None:
    delivery = session.get_one(Delivery, event.delivery_id)
    if event.customer_id is not None and delivery.content is not None:
        service.waits(session, event.customer_id, json.dumps(delivery.content), event.reason)


@on(MessageExpired)
def expired(session: Session, event: MessageExpired) -> None:
    _given_up(session, event.customer_id, event.delivery_id, "expired")


@on(MessageRefused)
def refused(session: Session, event: MessageRefused) -> None:
    _given_up(session, event.customer_id, event.delivery_id, "refused", event.reason)


@on(WelcomeRefused)
def not_welcomed(session: Session, event: WelcomeRefused) -> None:
    if event.customer_id is not None:
        for waiting in service.not_carried(session, event.customer_id, "welcome_refused"):
            enqueue(session, jobs.deliver, invitation_id=waiting.id)


@on(GroupJoined)
def joined(session: Session, event: GroupJoined) -> None:
    if event.customer_id is not None:
        service.joined(session, event.customer_id, event.chat_id)


def _begin(session: Session, assignment: GroupAssignment) -> None:
    waiting = service.begin(session, assignment)
    if waiting is not None:
        enqueue(session, jobs.deliver, invitation_id=waiting.id)


def _given_up(session: Session, customer_id: int | None, delivery_id: int, reason: str, detail: str = "") -> None:
    delivery = session.get_one(Delivery, delivery_id)
    if customer_id is not None and delivery.content is not None:
        service.given_up(session, customer_id, json.dumps(delivery.content), reason, detail)
