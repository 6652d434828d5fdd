"""The doors: she was heard, she is answered, she opened the chat, something is to be told her (W7, C9, G6).

Whoever calls one of them holds no lock but the customer's.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.crypto import fingerprint
from bot.core.events import announce
from bot.wecom.outbox import URGENT, post
from handlers.messaging import leaving, rules
from handlers.messaging.content import Content
from handlers.messaging.events import MessageExpired, MessageRefused, MessageWaiting
from handlers.messaging.models import Delivery, KfWindow
from handlers.messaging.rendering import Payload
from tags.people import service as people

CODE_SECONDS = 20  # of the code that comes when she opens the chat (wecom.md §4.4)
MOST_EXPIRED = 500  # at one tick


def heard(
    session: Session, customer_id: int, external_userid: str, open_kfid: str, at: datetime, *, quiet: bool = False
) -> None:
    """She wrote in an account at `at` (send_time): the window is open anew, and what waits for her begins to leave.

    quiet: a person is serving her; nothing leaves by itself.
    """
    hers = people.lock(session, customer_id)[0].id
    opened = insert(KfWindow).values(external_userid=external_userid, open_kfid=open_kfid, last_at=at, sent=0)
    newer = {"last_at": opened.excluded.last_at, "sent": 0}
    session.execute(opened.on_conflict_do_update(
        index_elements=["external_userid", "open_kfid"], set_=newer, where=KfWindow.last_at <= at
    ))  # fmt: skip
    if not quiet:
        leaving.pump(session, hers)


def answer(session: Session, customer_id: int, open_kfid: str, messages: list[Payload], *, dedupe: str) -> None:
    """Answer her in the account she wrote in, after `heard`; once for each `dedupe`.

    messages: 微信客服 messages, `{"msgtype": "text", "text": {…}}`, one after the other; they count among her five. An
    answer does not wait: one that WeCom refuses is recorded with the reason.
    """
    hers = people.lock(session, customer_id)[0].id
    made = _new(
        session, hers, "answer", dedupe, parts=messages, todo=list(range(len(messages))), open_kfid=open_kfid
    )  # fmt: skip
    if made is not None:
        leaving.pump(session, hers, answers=True)


def greet(
    session: Session, customer_id: int, external_userid: str, open_kfid: str, code: str, message: Payload, at: datetime
) -> None:
    """She opened the chat at `at` and WeCom gave a `code` for one message: `message`, a text or a menu.

    The texts that wait for her stand before its words, as many as fit; the rest leaves when she writes.
    """
    hers = people.lock(session, customer_id)[0].id
    folded, whole = leaving.fold(session, hers, message)
    payload = {"code": code, "msgid": leaving.msgid(session, fingerprint(code.encode())), **whole}
    row_id = post(
        session, "kf_send_msg_on_event", payload, purpose="answer", dedupe=f"greet:{code}", customer_id=hers,
        priority=URGENT, deadline=at + timedelta(seconds=CODE_SECONDS),
    )  # fmt: skip
    for each in folded if row_id is not None else ():
        each.outbox_id = row_id


def deliver(
    session: Session, customer_id: int, purpose: str, content: Content, dedupe: str, member: str | None = None
) -> None:
    """Tell her something, once for each `dedupe`: now if a window is open, else when the next one opens.

    purpose: welcome, transactional or marketing. What waits does so for 7 days, with its reason; `member`, who follows
    her, is told of it once (`notices`).
    """
    hers = people.lock(session, customer_id)[0].id
    made = _new(session, hers, purpose, dedupe, content=content.model_dump(mode="json"), member=member)
    if made is None:
        return
    leaving.pump(session, hers)
    if made.done_at is None and made.outbox_id is None and made.sent == 0 and not leaving.open_window(session, hers):
        made.reason = rules.NO_WINDOW
        waiting = MessageWaiting(customer_id=hers, delivery_id=made.id, purpose=purpose, reason=rules.NO_WINDOW)
        announce(session, waiting)


def leave_out(session: Session, customer_id: int, purpose: str, content: Content, dedupe: str, reason: str) -> None:
    """Keep a message that is not sent, once for each `dedupe`, with the reason (C9, G6). Announces MessageRefused."""
    hers = people.lock(session, customer_id)[0].id
    ended = {"done_at": clock.now(), "outcome": "refused", "reason": reason}
    made = _new(session, hers, purpose, dedupe, content=content.model_dump(mode="json"), **ended)
    if made is not None:
        about: dict[str, Any] = {"delivery_id": made.id, "purpose": purpose, "reason": reason}
        announce(session, MessageRefused(customer_id=hers, errcode=None, **about))


def withdraw(session: Session, dedupe: str, reason: str) -> bool:
    """Take back what was to be delivered, where nothing of it has left; False where something has, or nothing was."""
    found = session.scalar(select(Delivery).where(Delivery.dedupe == dedupe).with_for_update())
    if found is None or found.done_at is not None or _leaves(found):
        return False
    found.done_at, found.outcome, found.reason = clock.now(), "withdrawn", reason
    return True


def of_dedupe(session: Session, dedupe: str) -> Delivery | None:
    """What was to be delivered, and what became of it."""
    return session.scalar(select(Delivery).where(Delivery.dedupe == dedupe))


def leaves(session: Session, dedupe: str) -> bool:
    """Whether a part of what was to be delivered has left, or is just leaving."""
    found = of_dedupe(session, dedupe)
    return found is not None and _leaves(found)


def expire(session: Session) -> int:
    """End what has waited for 7 days (G6); returns how many."""
    over = select(Delivery).where(
        Delivery.done_at.is_(None), Delivery.expires_at <= clock.now(), Delivery.outbox_id.is_(None)
    )
    ended = list(session.scalars(over.order_by(Delivery.id).limit(MOST_EXPIRED).with_for_update(skip_locked=True)))
    for each in ended:
        each.done_at, each.outcome = clock.now(), "sent" if each.sent else "expired"
        about: dict[str, Any] = {"delivery_id": each.id, "purpose": each.purpose, "reason": each.reason}
        announce(session, MessageExpired(customer_id=each.customer_id, **about))
    return len(ended)


def _leaves(delivery: Delivery) -> bool:
    return bool(delivery.sent) or delivery.outbox_id is not None


def _new(session: Session, customer_id: int, purpose: str, dedupe: str, **more: Any) -> Delivery | None:
    row = {
        "customer_id": customer_id, "purpose": purpose, "dedupe": dedupe, "content": None, "parts": None, "todo": [],
        "sent": 0, "tries": 0, "reason": "", "created_at": clock.now(),
        "expires_at": clock.now() + timedelta(days=rules.KEPT_DAYS), **more,
    }  # fmt: skip
    new = insert(Delivery).values(row).on_conflict_do_nothing(index_elements=["dedupe"]).returning(Delivery)
    return session.scalar(new)
