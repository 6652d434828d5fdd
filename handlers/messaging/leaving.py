"""How deliveries leave: part after part through an open window, in order, each once.

The next part is posted when the one before it has been settled, so that a text never overtakes another, and so that an
answer finds room among the five: `answers` and the rest go in two rows beside each other. A part that meets a closed
window turns back and waits; one that WeCom refuses for good is recorded, and the next goes on.
"""

import re
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce
from bot.core.installation import installation_of
from bot.wecom.outbox import NORMAL, URGENT, OutboxRow, post
from handlers.messaging import rules
from handlers.messaging.content import Content
from handlers.messaging.events import MessageRefused, MessageSent
from handlers.messaging.models import Delivery, KfWindow
from handlers.messaging.placeholders import reader
from handlers.messaging.rendering import Payload, kf_parts, render
from tags.people import service as people
from tags.people.models import Identity

CLOSED = frozenset({95001, 95002, 95013, 95018})  # five sent, 48 h over, session ended, or a person serves her
CLOSED_LATER = frozenset({4, 5, 6})  # the same, told by `msg_send_fail` after WeCom had taken the message
SHOWN_CHARACTERS = 200  # of a text, in the timeline
MARK_LENGTH = 6  # of our installation's id in a msgid: another's on the same account is not ours


def pump(session: Session, customer_id: int, *, answers: bool = False) -> None:
    """Post the next part of what waits for her, if a window is open and none is under way. She is locked."""
    first = session.scalar(_open(session, customer_id, answers).limit(1).with_for_update())
    if first is None or first.outbox_id is not None:
        return
    window = open_window(session, customer_id, first.open_kfid)
    if window is None:
        if answers:
            _refuse(session, first, "window_closed", None)
            _end(session, first)
        else:
            first.reason = first.reason or rules.NO_WINDOW
        return
    if first.parts is None:
        first.parts = _rendered(session, customer_id, first)
        first.todo = list(range(len(first.parts)))
    if first.todo:
        _post(session, first, window)
    else:
        _refuse(session, first, "nothing_to_send", None)
        _go_on(session, first)


def open_window(session: Session, customer_id: int, open_kfid: str | None = None) -> KfWindow | None:
    """Her open window with room for a message, locked; the one she wrote in last where there are several."""
    hers = select(Identity.value).where(Identity.customer_id == customer_id, Identity.kind == "external_userid")
    windows = select(KfWindow).where(KfWindow.external_userid.in_(hers))
    if open_kfid is not None:
        windows = windows.where(KfWindow.open_kfid == open_kfid)
    found = session.scalars(windows.order_by(KfWindow.last_at.desc(), KfWindow.id).with_for_update())
    return next((one for one in found if rules.room(one.last_at, one.sent, clock.now())), None)


def settled(session: Session, row: OutboxRow) -> None:
    """A part was sent or refused: go on with the next one, or let it wait again."""
    place = _place(row.dedupe)
    if place is None or row.state == "unknown":
        return
    delivery = _locked(session, place[0])
    if delivery is None:
        return
    if delivery.outbox_id == row.id:
        delivery.outbox_id = None
    if row.state == "sent":
        delivery.sent += 1
        _take_out(delivery, place[1])
    elif row.errcode in CLOSED and delivery.purpose != "answer":
        _turn_back(session, delivery, row.payload["touser"], row.payload["open_kfid"], row.error or "")
    else:
        _refuse(session, delivery, row.error or "", row.errcode)
        _take_out(delivery, place[1])
    _go_on(session, delivery)


def failed_later(session: Session, external_userid: str, open_kfid: str, fail_msgid: str, fail_type: int) -> None:
    """WeCom had taken a message of ours and could not bring it to her (`msg_send_fail`)."""
    mark, _, rest = fail_msgid.partition("-")
    place = _place(f"delivery:{rest.replace('-', ':')}")
    delivery = _locked(session, place[0]) if place and mark == _mark(session) else None
    if place is None or delivery is None or place[1] in delivery.todo:
        return
    delivery.sent -= 1
    why = f"fail_type {fail_type}"
    if fail_type in CLOSED_LATER and delivery.purpose != "answer":
        delivery.todo = sorted([*delivery.todo, place[1]])
        delivery.done_at = delivery.outcome = None
        _turn_back(session, delivery, external_userid, open_kfid, why)
    else:
        _refuse(session, delivery, why, None)
        delivery.outcome = "refused" if delivery.done_at and not delivery.sent else delivery.outcome


def fold(session: Session, customer_id: int, message: Payload) -> tuple[list[Delivery], Payload]:
    """The waiting deliveries, all text, that fit before a text or menu; and the whole message. She is locked."""
    folded: list[Delivery] = []
    texts: list[str] = []
    whole = message
    for each in session.scalars(_open(session, customer_id, answers=False).with_for_update()):
        parts = each.parts or _rendered(session, customer_id, each)
        new = [part["text"]["content"] for part in parts if part["msgtype"] == "text"]
        longer = _headed(message, [*texts, *new])
        if each.outbox_id is not None or each.sent or not new or len(new) != len(parts) or longer is None:
            break
        each.parts, each.todo = parts, list(range(len(parts)))
        whole = longer
        texts += new
        folded.append(each)
    return folded, whole


def greeted(session: Session, row: OutboxRow) -> None:
    """The message to one who opened the chat was sent, with all that stood in it, or was refused."""
    if row.state == "unknown":
        return
    for delivery in session.scalars(select(Delivery).where(Delivery.outbox_id == row.id).with_for_update()):
        delivery.outbox_id = None
        if row.state == "sent":
            delivery.sent, delivery.todo = len(delivery.todo), []
            _end(session, delivery)
        else:
            delivery.reason = row.error or ""


def msgid(session: Session, name: str) -> str:
    """Our own msgid, of at most 32 letters, digits, _ and -, by which WeCom recognises a message sent again."""
    return f"{_mark(session)}-{name}"[:32]


def _open(session: Session, customer_id: int, answers: bool) -> Any:
    lane: ColumnElement[bool] = Delivery.purpose == "answer" if answers else Delivery.purpose != "answer"
    family = people.family(session, customer_id)
    hers = select(Delivery).where(Delivery.customer_id.in_(family), Delivery.done_at.is_(None), lane)
    return hers.order_by(Delivery.id)


def _post(session: Session, delivery: Delivery, window: KfWindow) -> None:
    part, parts = delivery.todo[0], delivery.parts or []
    place = f"{delivery.id}:{part}:{delivery.tries}"
    payload = {
        "touser": window.external_userid, "open_kfid": window.open_kfid,
        "msgid": msgid(session, place.replace(":", "-")), **parts[part],
    }  # fmt: skip
    delivery.outbox_id = post(
        session, "kf_send_msg", payload, purpose=delivery.purpose, dedupe=f"delivery:{place}",
        customer_id=delivery.customer_id, priority=URGENT if delivery.purpose == "answer" else NORMAL,
    )  # fmt: skip
    window.sent += 1


def _rendered(session: Session, customer_id: int, delivery: Delivery) -> list[Payload]:
    who = reader(session, customer_id, delivery.member)
    return kf_parts(render(session, Content.model_validate(delivery.content), who))


def _headed(message: Payload, texts: list[str]) -> Payload | None:
    """`message` with the texts before its own words; None where that is longer than WeCom takes."""
    kind, words, most = (
        ("text", "content", rules.KF_TEXT_BYTES)
        if message["msgtype"] == "text"
        else ("msgmenu", "head_content", rules.MENU_HEAD_BYTES)
    )
    whole = "\n\n".join((*texts, message[kind].get(words, "")))
    return {**message, kind: {**message[kind], words: whole}} if rules.size(whole) <= most else None


def _locked(session: Session, delivery_id: int) -> Delivery | None:
    """A delivery, after its customer."""
    customer_id = session.scalar(select(Delivery.customer_id).where(Delivery.id == delivery_id))
    if customer_id is None:
        return None
    people.lock(session, customer_id)
    return session.get(Delivery, delivery_id, with_for_update=True, populate_existing=True)


def _turn_back(session: Session, delivery: Delivery, external_userid: str, open_kfid: str, why: str) -> None:
    """It waits again; the window is not open whatever we had counted."""
    delivery.tries, delivery.reason = delivery.tries + 1, why
    window = select(KfWindow).where(KfWindow.external_userid == external_userid, KfWindow.open_kfid == open_kfid)
    for one in session.scalars(window.with_for_update()):
        one.sent = rules.WINDOW_MESSAGES


def _take_out(delivery: Delivery, part: int) -> None:
    delivery.todo = [one for one in delivery.todo if one != part]


def _go_on(session: Session, delivery: Delivery) -> None:
    if not delivery.todo and delivery.done_at is None:
        _end(session, delivery)
    survivor = people.survivor(session, delivery.customer_id)
    pump(session, survivor, answers=delivery.purpose == "answer")


def _end(session: Session, delivery: Delivery) -> None:
    delivery.done_at, delivery.outcome = clock.now(), "sent" if delivery.sent else "refused"
    session.flush()
    if delivery.sent:
        texts = (part.get("text") or part.get("msgmenu") or {} for part in delivery.parts or [])
        shown = next((one.get("content") or one.get("head_content", "") for one in texts if one), "")
        about: dict[str, Any] = {"delivery_id": delivery.id, "purpose": delivery.purpose}
        announce(session, MessageSent(customer_id=delivery.customer_id, text=shown[:SHOWN_CHARACTERS], **about))


def _refuse(session: Session, delivery: Delivery, reason: str, errcode: int | None) -> None:
    delivery.reason = reason
    about: dict[str, Any] = {"delivery_id": delivery.id, "purpose": delivery.purpose}
    announce(session, MessageRefused(customer_id=delivery.customer_id, reason=reason, errcode=errcode, **about))


def _place(dedupe: str | None) -> tuple[int, int] | None:
    """(delivery, part) out of `delivery:<id>:<part>:<tries>`."""
    found = re.fullmatch(r"delivery:(\d{1,18}):(\d{1,3}):\d{1,4}", dedupe or "")
    return (int(found[1]), int(found[2])) if found else None


def _mark(session: Session) -> str:
    return installation_of(session).id[:MARK_LENGTH]
