"""Handing customers over: asked of WeCom, its outcome read back, each at most twice in 90 days (C5, G5, G6)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Unacceptable
from bot.wecom import inbox, outbox
from bot.wecom.outbox import OutboxRow
from handlers.transfers.models import OPEN, Transfer
from tags.people import relations, staff
from tags.people import service as people
from tags.people.models import Contact, Customer, Staff

A_CALL = 100  # customers (wecom.md §3.13)
PAIRS_AT_ONCE = 50  # of members, whose transfers one tick asks about
TWICE, WITHIN = 2, timedelta(days=90)
UNDER_WAY = frozenset({40100, 40129})  # errcodes: begun already, by a call whose answer was lost or by somebody else
NO_RECORD = 5
STATES = {  # status of `transfer_result` -> state, reason
    3: ("refused", "customer_refused"), 4: ("full", "customer_limit_exceed"), NO_RECORD: ("failed", "no_record"),
}  # fmt: skip


@dataclass(frozen=True)
class OutcomeAsked:
    """Read how the transfers from one member to another went (`transfer_result`)."""

    handover: str
    takeover: str
    resigned: bool


@dataclass(frozen=True)
class UnassignedAsked:
    """List the customers of members who have left the corp (`get_unassigned_list`)."""


@dataclass(frozen=True)
class Started:
    """asked: how many transfers WeCom is asked for; twice: customers who were handed on twice in 90 days already."""

    asked: int
    twice: int


def start(
    session: Session, handover: str, takeover: str, external_userids: Sequence[str] | None, message: str = ""
) -> Started:
    """Hand these customers of a member (None: all) to another; whose transfer is under way already are left alone.

    message: what the successor says to her once it is done, not after the member left. Raises Unacceptable with the bad
    field.
    """
    gives, takes = (session.get(Staff, userid) for userid in (handover, takeover))
    if gives is None:
        raise Unacceptable.at("/handover", f"there is no member {handover}", _l("没有这位成员"))
    if takes is None or not takes.active:
        raise Unacceptable.at("/takeover", f"expected an active member, found {takeover}", _l("请选一位在职的成员"))
    if gives is takes:
        detail = "expected another member than the one who hands over"
        raise Unacceptable.at("/takeover", detail, _l("请选另一位成员，不能转给自己"))
    his = list(session.scalars(of_member(handover, external_userids)))
    strange = set(external_userids or ()) - {one.external_userid for one in his}
    if strange:
        words = _l("有客户已经不在这位成员名下，请刷新页面再选")
        raise Unacceptable.at("/customers", f"{min(strange)} is no contact of {handover}", words)
    resigned = gives.left_at is not None
    spent = set() if resigned else _twice(session, [one.external_userid for one in his])
    chosen = [one for one in his if one.external_userid not in spent]
    _record(session, [one for one in his if one.external_userid in spent], gives, takeover, "failed", "twice")
    asked = _record(session, chosen, gives, takeover, "asked", "")
    for first in range(0, len(asked), A_CALL):
        part = asked[first : first + A_CALL]
        payload = {
            "handover_userid": handover, "takeover_userid": takeover, "resigned": resigned,
            "external_userid": [one.external_userid for one in part], "transfer_success_msg": message or None,
        }  # fmt: skip
        outbox.post(session, "transfer_customer", payload, purpose="sync", dedupe=f"transfer:{part[0].id}")
    return Started(len(asked), len(spent))


def settled(session: Session, row: OutboxRow) -> None:
    """WeCom answered: some transfers have begun, others can't."""
    if row.state == "unknown":
        return
    codes = {one["external_userid"]: one["errcode"] for one in (row.answer or {}).get("customer", ())}
    for one in _of(session, row.payload["handover_userid"], row.payload["external_userid"]):
        errcode = codes.get(one.external_userid, row.errcode)
        if row.state == "sent" and (errcode in (0, None) or errcode in UNDER_WAY):
            one.state = "waiting" if one.state == "asked" else one.state
        else:
            fail(session, one, "failed", str(errcode) if errcode is not None else row.error or "")


def ask(session: Session) -> None:
    """Ask how the transfers went that wait, pair by pair."""
    pairs = select(Transfer.handover, Transfer.takeover, Transfer.resigned).where(Transfer.state == "waiting")
    grouped = pairs.group_by(Transfer.handover, Transfer.takeover, Transfer.resigned)
    for pair in session.execute(grouped.order_by(func.min(Transfer.asked_at)).limit(PAIRS_AT_ONCE)):
        inbox.ask(session, OutcomeAsked(*pair))


def take(session: Session, asked: OutcomeAsked, rows: Iterable[dict[str, Any]]) -> None:
    """What WeCom says of the transfers between two members; what callbacks told before changes nothing."""
    said = {row["external_userid"]: row for row in rows}
    between = Transfer.handover == asked.handover, Transfer.takeover == asked.takeover, Transfer.state == "waiting"
    for one in _locked(session, *between):
        row = said.get(one.external_userid, {"status": NO_RECORD})
        if row["status"] in STATES:
            fail(session, one, *STATES[row["status"]])
        elif row["status"] == 1:
            at = datetime.fromtimestamp(row.get("takeover_time") or clock.now().timestamp(), UTC)
            relations.ended(session, external_userid=one.external_userid, userid=one.handover, at=at, how="transferred")
            done(session, one.external_userid, one.handover)


def done(session: Session, external_userid: str, handover: str) -> None:
    """She has gone over, as a callback or the outcome says."""
    for one in _of(session, handover, [external_userid]):
        one.state, one.settled_at = "done", clock.now()


def fail(session: Session, transfer: Transfer, state: str, reason: str) -> None:
    """It came to nothing; announces TransferFailed."""
    transfer.state, transfer.reason, transfer.settled_at = state, reason, clock.now()
    session.flush()
    relations.transfer_failed(
        session, external_userid=transfer.external_userid, userid=transfer.takeover, at=clock.now(),
        reason=reason,
    )  # fmt: skip


def failed(session: Session, external_userid: str, userid: str, reason: str) -> None:
    """A callback tells that she stays: `userid` is either of the two members."""
    either = (Transfer.takeover == userid) | (Transfer.handover == userid)
    for one in _locked(session, Transfer.external_userid == external_userid, Transfer.state.in_(OPEN), either):
        one.state, one.reason = "full" if reason == "customer_limit_exceed" else "refused", reason
        one.settled_at = clock.now()


def left_behind(session: Session, rows: Iterable[dict[str, Any]]) -> None:
    """These customers' members have left the corp, as WeCom lists them."""
    gone = {row["handover_userid"]: row["dimission_time"] for row in rows}
    for userid, at in gone.items():
        staff.left(session, userid, datetime.fromtimestamp(at, UTC))


def of_member(userid: str, external_userids: Sequence[str] | None = None) -> Select[Contact]:
    """The contacts of a member who may be handed on: active, whole, none under way; these alone, where named."""
    under_way = select(Transfer.id).where(
        Transfer.external_userid == Contact.external_userid, Transfer.handover == Contact.userid,
        Transfer.state.in_(OPEN),
    )  # fmt: skip
    his = select(Contact).where(
        Contact.userid == userid, Contact.status == "active", ~Contact.half, ~under_way.exists()
    )
    named = his if external_userids is None else his.where(Contact.external_userid.in_(external_userids))
    return named.order_by(Contact.customer_id, Contact.id)


def awaiting() -> Select[Any, Any, Any]:
    """(contact, customer, member): customers of members who left, whom nobody has been given yet."""
    under_way = select(Transfer.id).where(
        Transfer.external_userid == Contact.external_userid, Transfer.handover == Contact.userid,
        Transfer.state.in_(OPEN),
    )  # fmt: skip
    rows = select(Contact, Customer, Staff).join(Customer, Customer.id == Contact.customer_id)
    return rows.join(Staff, Staff.userid == Contact.userid).where(
        Contact.status == "active", Staff.left_at.is_not(None), ~under_way.exists()
    )


def _twice(session: Session, external_userids: Sequence[str]) -> set[str]:
    """Who was handed on twice on the job within 90 days."""
    lately = select(Transfer.external_userid).where(
        Transfer.external_userid.in_(external_userids), ~Transfer.resigned, Transfer.state == "done",
        Transfer.asked_at > clock.now() - WITHIN,
    )  # fmt: skip
    counted = lately.group_by(Transfer.external_userid).having(func.count() >= TWICE)
    return set(session.scalars(counted))


def _record(
    session: Session, contacts: Sequence[Contact], gives: Staff, takeover: str, state: str, reason: str
) -> list[Transfer]:
    """Rows for these contacts, without those whose transfer somebody else began meanwhile."""
    now, actor = clock.now(), session.info["actor"]
    rows = [
        {
            "customer_id": one.customer_id, "external_userid": one.external_userid, "handover": gives.userid,
            "takeover": takeover, "resigned": gives.left_at is not None, "state": state, "reason": reason,
            "asked_at": now, "asked_by": actor, "settled_at": None if state in OPEN else now,
        }
        for one in contacts
    ]  # fmt: skip
    if not rows:
        return []
    made = session.scalars(insert(Transfer).on_conflict_do_nothing().returning(Transfer), rows)
    return sorted(made, key=lambda one: one.id)


def _of(session: Session, handover: str, external_userids: Sequence[str]) -> list[Transfer]:
    whose = Transfer.handover == handover, Transfer.external_userid.in_(external_userids)
    return _locked(session, *whose, Transfer.state.in_(OPEN))


def _locked(session: Session, *which: ColumnElement[bool]) -> list[Transfer]:
    """These transfers, their customers locked first, as whoever hears of one has them."""
    people.lock(session, *session.scalars(select(Transfer.customer_id).where(*which).distinct()))
    rows = select(Transfer).where(*which).order_by(Transfer.customer_id, Transfer.id)
    return list(session.scalars(rows.with_for_update().execution_options(populate_existing=True)))
