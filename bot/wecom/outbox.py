"""Everything that is sent to WeCom is a row first: posted in the transaction that decides it, sent after the commit.

    waiting ──▶ sending ──▶ sent | refused | unknown

`sending` is committed before the call, so a crash leaves a trace: for a welcome by the very transaction that decides
it, since the thread that took the callback sends at once. A row left `sending`, or one whose answer was lost, is
*unknown* until WeCom is asked (`Call.ask`) or the call may simply be repeated (`Call.repeatable`). What can't be
settled is shown to an operator and never sent again by itself.

    post(session, "send_welcome_msg", {…}, purpose="welcome", dedupe=f"welcome:{code}", deadline=…)

    @settles("send_welcome_msg")
    def welcomed(session: Session, row: OutboxRow) -> None: ...        # in the transaction that settles the row

    @prepares
    def resolve(installation, wecom, payload) -> payload: ...          # before the call, outside of any transaction
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Index, bindparam, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import TIMESTAMP, insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.core import clock
from bot.core.db import At, Base, Big, Id, Json
from bot.core.errors import Conflict, NotFound
from bot.core.feature import Register
from bot.core.installation import Installation, hint
from bot.wecom import calls, errors
from bot.wecom.claims import OUTBOX, unclaimed
from bot.wecom.client import WeCom

log = structlog.get_logger(__name__)

LANE = "hot"
MOST_ATTEMPTS = 8  # of a call that WeCom is too busy for: 1 + 2 + … + 64 s of back-off
LOST_AFTER = timedelta(seconds=30)  # a row still `sending` then belongs to a process that died; calls end within 10 s
KEPT_DAYS = 90
PATIENCE_S = 12.0  # of a caller who waits for the answer; a call ends within 10 s
LOOK_EVERY_S = 0.05

URGENT, NORMAL, BULK = 100, 50, 0  # priorities: welcomes and answers · single effects · what comes by the thousand


class OutboxRow(Base):
    """One call to WeCom: what, why, how far it came."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("ix_outbox_due", text("priority DESC"), "not_before", "id", postgresql_where=text("state = 'waiting'")),
        Index("ix_outbox_open", "state", "sending_at", postgresql_where=text("state IN ('sending', 'unknown')")),
        Index("ix_outbox_customer_id", "customer_id", "id"),
        Index("ix_outbox_settled", "settled_at", postgresql_where=text("settled_at IS NOT NULL")),
    )
    id: Mapped[Id]
    call: Mapped[str]
    payload: Mapped[Json]
    dedupe: Mapped[str | None] = mapped_column(unique=True)
    purpose: Mapped[str]
    customer_id: Mapped[Big | None]
    priority: Mapped[int]
    state: Mapped[str]
    created_at: Mapped[At]
    not_before: Mapped[At]
    deadline: Mapped[At | None]
    attempts: Mapped[int]
    sending_at: Mapped[At | None]
    settled_at: Mapped[At | None]
    answer: Mapped[Json | None]
    errcode: Mapped[int | None]
    error: Mapped[str | None]
    cause_id: Mapped[Big | None]


@dataclass(frozen=True)
class Settlement:
    """A function told, in the settling transaction, that a row of `call` is sent, refused or unknown."""

    call: str
    tell: Callable[[Session, OutboxRow], None]


settlements: Register[Settlement] = Register("settlements")


def settles(call: str) -> Callable[[Callable[[Session, OutboxRow], None]], Callable[[Session, OutboxRow], None]]:
    """Mark a function to be told of each settled row of `call`."""
    return lambda function: settlements.mark(function, Settlement(call, function))


Preparation = Callable[[Installation, WeCom, calls.Payload], calls.Payload]
preparations: Register[Preparation] = Register("preparations")


def prepares(function: Preparation) -> Preparation:
    """Mark a function that every payload goes through just before its call; a WeComError of its is the call's."""
    return preparations.mark(function, function)


def post(
    session: Session,
    call: str,
    payload: dict[str, Any],
    *,
    purpose: str,
    dedupe: str | None = None,
    customer_id: int | None = None,
    priority: int = NORMAL,
    deadline: datetime | None = None,
    not_before: datetime | None = None,
) -> int | None:
    """Post a call to be sent after the commit; returns its row's id, None if `dedupe` was posted before (G5).

    purpose: welcome, answer, transactional, marketing or sync. deadline: when sending it makes no sense any more.
    """
    calls.named(call)
    values = {
        "call": call, "payload": payload, "dedupe": dedupe, "purpose": purpose, "customer_id": customer_id,
        "priority": priority, "state": "waiting", "created_at": clock.now(), "not_before": not_before or clock.now(),
        "deadline": deadline, "attempts": 0, "cause_id": session.info.get("cause"), "sending_at": None,
    }  # fmt: skip
    at_once = _at_once(session, priority, deadline, not_before)
    if at_once is not None:
        values |= {"state": "sending", "sending_at": clock.now(), "attempts": 1}
    row_id: int | None = session.scalar(_POST, values)
    if row_id is not None and at_once is not None:
        at_once.append(OutboxRow(id=row_id, **values))
    elif row_id is not None and not_before is None:
        session.info.setdefault("posted", []).append(row_id)
        hint(session, LANE)
    return row_id


def claim_posted(session: Session) -> list[OutboxRow]:
    """Let the first urgent row posted in this transaction be claimed by it, which saves the welcome a transaction.

    It comes into the list that is returned; after the commit the caller makes its `attempt` at once.
    """
    claimed: list[OutboxRow] = session.info.setdefault("claimed", [])
    return claimed


def due(session: Session, limit: int) -> list[tuple[int, int]]:
    """(priority, id) of the rows that may be sent now, urgent first, without those that a process has at hand."""
    found = session.execute(_DUE, {"now": clock.now(), "most": limit})
    return [(priority, row_id) for priority, row_id in found]


def send(installation: Installation, wecom: WeCom, row_id: int) -> OutboxRow | None:
    """Send one waiting row and settle it; returns the row as it then stands, None if it was not this caller's to send.

    Never raises for what WeCom or the network does: that is what the row's state says.
    """
    with installation.transaction(f"outbox:{row_id}") as session:
        row = _claim(session, row_id)
        if row is None:
            return None
        if row.deadline is not None and clock.now() >= row.deadline:
            before = f"; before that: {row.error}" if row.error else ""
            late = f"its time had passed before it could be sent{before}"
            return _settle(session, row, "refused", error=late, errcode=row.errcode)
    return attempt(installation, wecom, row)


def attempt(installation: Installation, wecom: WeCom, row: OutboxRow) -> OutboxRow:
    """Make the call of a row that is committed as `sending` by the caller, and settle it. Raises as `send`."""
    try:
        payload = row.payload
        for prepare in preparations:
            payload = prepare(installation, wecom, payload)
        answer = calls.named(row.call).send(wecom, payload)
    except (errors.Busy, errors.NotSent, errors.TokenRejected) as error:
        return _later(installation, row, error)
    except errors.Unknown as error:
        with installation.transaction(f"outbox:{row.id}") as session:
            return _settle(session, row, "unknown", error=str(error))
    except errors.Refused as error:
        done = calls.named(row.call).means_done(error.errcode, row.attempts)
        with installation.transaction(f"outbox:{row.id}") as session:
            return _settle(session, row, "sent" if done else "refused", error=str(error), errcode=error.errcode)
    except errors.WeComError as error:
        with installation.transaction(f"outbox:{row.id}") as session:
            return _settle(session, row, "refused", error=str(error))
    with installation.transaction(f"outbox:{row.id}") as session:
        return _settle(session, row, "sent", answer=answer)


def send_now(installation: Installation, wecom: WeCom, row_id: int) -> OutboxRow:
    """Send a committed row for a caller who needs the answer; the row as it stands at the latest after `PATIENCE_S`.

    Where the lane was quicker, its answer is waited for. What is still waiting or unknown then settles itself.
    """
    until = time.monotonic() + PATIENCE_S
    row = send(installation, wecom, row_id)
    while row is None or (row.state == "sending" and time.monotonic() < until):
        time.sleep(LOOK_EVERY_S)
        with installation.transaction("system") as session:
            row = session.get_one(OutboxRow, row_id)
    return row


def settle_lost(installation: Installation, wecom: WeCom) -> int:
    """Settle what a dead process left `sending`, and what is unknown and can be asked; returns how many it tried."""
    with installation.transaction("system") as session:
        lost = select(OutboxRow).where(OutboxRow.state == "sending", OutboxRow.sending_at < clock.now() - LOST_AFTER)
        unknown = select(OutboxRow).where(OutboxRow.state == "unknown", OutboxRow.not_before <= clock.now())
        rows = [*session.scalars(lost.limit(100)), *session.scalars(unknown.limit(100))]
    for row in rows:
        _settle_unknown(installation, wecom, row)
    return len(rows)


def retry(session: Session, row_id: int) -> None:
    """Send a refused row again, by an operator's decision. Raises NotFound, or Conflict where it is not refused."""
    row = session.get(OutboxRow, row_id, with_for_update=True)
    if row is None:
        raise NotFound(f"no message has the id {row_id}")
    if row.state != "refused":
        raise Conflict(f"message {row_id} is {row.state}; only a refused one can be sent again")
    row.state, row.attempts, row.deadline, row.error, row.errcode = "waiting", 0, None, None, None
    row.not_before = clock.now()
    hint(session, LANE)


def counts(session: Session) -> dict[str, int]:
    """How many rows are in each state that is not final, and how many were refused in the last 7 days."""
    open_rows = select(OutboxRow.state, func.count()).where(OutboxRow.state.in_(["waiting", "sending", "unknown"]))
    found = dict(session.execute(open_rows.group_by(OutboxRow.state)).all())
    week = clock.now() - timedelta(days=7)
    refused = select(func.count()).where(OutboxRow.settled_at > week, OutboxRow.state == "refused")
    return {**found, "refused": session.scalar(refused) or 0}


def forget_settled(session: Session) -> None:
    """Delete rows settled more than `KEPT_DAYS` days ago. The events they caused stay."""
    old = OutboxRow.settled_at < clock.now() - timedelta(days=KEPT_DAYS)
    session.execute(delete(OutboxRow).where(old, OutboxRow.state != "unknown"))


_DUE = select(OutboxRow.priority, OutboxRow.id).where(OutboxRow.state == "waiting")
_DUE = _DUE.where(OutboxRow.not_before <= bindparam("now"), unclaimed(OUTBOX, OutboxRow.id))
_DUE = _DUE.order_by(OutboxRow.priority.desc(), OutboxRow.not_before, OutboxRow.id).limit(bindparam("most"))

_NEW = insert(OutboxRow.__table__).on_conflict_do_nothing(index_elements=["dedupe"])  # type: ignore[arg-type]
_POST = _NEW.returning(OutboxRow.id)


def _at_once(
    session: Session, priority: int, deadline: datetime | None, not_before: datetime | None
) -> list[OutboxRow] | None:
    """Where a row goes that its poster sends at once: one, urgent, in time."""
    claimed: list[OutboxRow] | None = session.info.get("claimed")
    in_time = not_before is None and (deadline is None or clock.now() < deadline)
    return claimed if claimed == [] and priority >= URGENT and in_time else None


def _claim(session: Session, row_id: int) -> OutboxRow | None:
    return session.scalar(
        update(OutboxRow)
        .where(OutboxRow.id == row_id, OutboxRow.state == "waiting", OutboxRow.not_before <= clock.now())
        .values(state="sending", sending_at=clock.now(), attempts=OutboxRow.attempts + 1)
        .returning(OutboxRow)
    )


def _later(installation: Installation, row: OutboxRow, error: errors.WeComError) -> OutboxRow:
    """Too busy, not reached, or not let in: nothing was done, so try again while time and attempts are left."""
    wait = max(getattr(error, "wait_s", 0.0), 2.0 ** (row.attempts - 1))
    if row.priority >= URGENT and row.deadline is not None:
        wait = min(wait, 2.0)  # a welcome has 20 s in all
    with installation.transaction(f"outbox:{row.id}") as session:
        if row.attempts >= MOST_ATTEMPTS:
            return _settle(session, row, "refused", error=str(error), errcode=error.errcode)
        kept = session.get(OutboxRow, row.id, with_for_update=True)
        assert kept is not None
        kept.state, kept.error, kept.errcode = "waiting", str(error), error.errcode
        kept.not_before = clock.now() + timedelta(seconds=wait)
        return kept


def _settle_unknown(installation: Installation, wecom: WeCom, row: OutboxRow) -> None:
    call = calls.named(row.call)
    found: dict[str, Any] | None = None
    if call.ask is not None:
        try:
            found = call.ask(wecom, row.payload)
        except errors.WeComError as error:
            with installation.transaction(f"outbox:{row.id}") as session:
                _settle(session, row, "unknown", error=f"{row.error}; asking WeCom failed: {error}")
            return
    with installation.transaction(f"outbox:{row.id}") as session:
        if found is not None:
            _settle(session, row, "sent", answer=found)
        elif call.ask is not None or call.repeatable:
            kept = session.get(OutboxRow, row.id, with_for_update=True)
            # Of two processes that asked, the later one may find it sent again meanwhile.
            if kept is not None and (kept.state, kept.attempts) == (row.state, row.attempts):
                kept.state, kept.not_before = "waiting", clock.now()
                hint(session, LANE)
        else:
            _settle(session, row, "unknown", error=row.error or "the process died while it was being sent")


def _settle(
    session: Session,
    row: OutboxRow,
    state: str,
    *,
    answer: Any = None,
    error: str | None = None,
    errcode: int | None = None,
) -> OutboxRow:
    again_at = None
    if state == "unknown":
        call = calls.named(row.call)
        wait = timedelta(seconds=2 ** min(row.attempts, 8)) if call.ask or call.repeatable else timedelta(days=3650)
        again_at = clock.now() + wait
    values = {
        "row_id": row.id, "to": state, "said": answer, "why": error, "code": errcode, "now": clock.now(),
        "again_at": again_at,
    }  # fmt: skip

    def write(*before: str) -> OutboxRow | None:
        written: OutboxRow | None = session.scalar(
            _SETTLED, {**values, "before": before}, execution_options=_AS_WRITTEN
        )
        return written

    kept = write("sending") if state == "unknown" else write("sending", "unknown")
    if kept is not None:
        session.info["cause"] = kept.cause_id
        for one in _told(kept.call):
            one.tell(session, kept)
    elif state == "unknown":  # asked again, in vain: nobody is told twice
        kept = write("unknown")
    return kept or session.get_one(OutboxRow, row.id)


_SETTLED = (
    update(OutboxRow)
    .where(OutboxRow.id == bindparam("row_id"), OutboxRow.state.in_(bindparam("before", expanding=True)))
    .values(
        state=bindparam("to"), answer=bindparam("said"), error=bindparam("why"), errcode=bindparam("code"),
        settled_at=bindparam("now"), not_before=func.coalesce(bindparam("again_at", type_=TIMESTAMP(timezone=True)),
                                                              OutboxRow.not_before),
    )
    .returning(OutboxRow)
)  # fmt: skip
_AS_WRITTEN = {"synchronize_session": False, "populate_existing": True}


def _told(call: str) -> Iterable[Settlement]:
    return [one for one in settlements if one.call == call]
