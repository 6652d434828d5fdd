"""What WeCom told us, kept before it is answered, processed once and in order per key.

A row is claimable when no earlier undone row of its key exists. Processing reads what it needs from WeCom first,
holding no connection, then does everything in one transaction: row done, state, events, listeners' effects, outgoing
rows, jobs. A failure is kept with its reason and retried with back-off; after `MOST_ATTEMPTS` (ten minutes in all) the
row is parked, frees its key and waits for a person.

    @receives(ContactAdded, read=profile)
    def added(session: Session, message: ContactAdded, read: dict | None) -> None: ...
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy import Index, LargeBinary, bindparam, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from bot.core import clock
from bot.core.db import At, Base, Id
from bot.core.errors import NotFound
from bot.core.feature import Register
from bot.core.installation import Installation, hint
from bot.wecom import messages, outbox
from bot.wecom.claims import INBOX, unclaimed
from bot.wecom.client import WeCom
from bot.wecom.errors import WeComError
from bot.wecom.outbox import LANE

log = structlog.get_logger(__name__)

MOST_ATTEMPTS = 10  # 1 + 2 + 4 + … + 256 s of back-off: just under ten minutes, then the key is free again
HINTS = ("ContactEdited", "GroupChanged", "TagChanged")  # all they say is: read it again. Two within a second are one
# text, so a second delivery of such a row is processed once more, which changes nothing where it was the same hint.
KEPT_DAYS = 30  # done rows, and with them the digests that recognise a second delivery


class InboxRow(Base):
    """One callback, one 微信客服 message that a callback made us pull, or one question of our own to WeCom."""

    __tablename__ = "inbox"
    __table_args__ = (
        Index("ix_inbox_undone", "key", "id", postgresql_where=text("done_at IS NULL AND parked_at IS NULL")),
        Index("ix_inbox_due", "not_before", "id", postgresql_where=text("done_at IS NULL AND parked_at IS NULL")),
        Index("ix_inbox_parked", "parked_at", postgresql_where=text("parked_at IS NOT NULL AND done_at IS NULL")),
        Index("ix_inbox_done", "done_at", postgresql_where=text("done_at IS NOT NULL")),
    )
    id: Mapped[Id]
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    key: Mapped[str]
    source: Mapped[str]
    kind: Mapped[str]
    body: Mapped[str]
    received_at: Mapped[At]
    not_before: Mapped[At]
    attempts: Mapped[int] = mapped_column(server_default="0")
    error: Mapped[str | None]
    done_at: Mapped[At | None]
    parked_at: Mapped[At | None]


@dataclass(frozen=True)
class Receiver:
    """What one kind of message causes: `read(installation, wecom, message)`, then `take(session, message, read)`."""

    kind: type[Any]
    read: Callable[[Installation, WeCom, Any], Any] | None
    take: Callable[..., None]


receivers: Register[Receiver] = Register("receivers")


def receives(
    kind: type[Any], read: Callable[[Installation, WeCom, Any], Any] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Mark a function to take each message of `kind`; with `read` it gets what that returned as third argument."""
    return lambda function: receivers.mark(function, Receiver(kind, read, function))


def digest(*parts: bytes) -> bytes:
    """What a second delivery is recognised by: SHA-256 over the decrypted XML, or an account's and a message's id."""
    return hashlib.sha256(b"\0".join(parts)).digest()


def keep_kf(session: Session, open_kfid: str, items: Sequence[dict[str, Any]]) -> None:
    """Keep messages pulled from a 微信客服 account as rows of their own, each once whatever is pulled twice (G5).

    One that can't be read is parked at once: what comes after it in the account must not wait for it.
    """
    rows = []
    for item in items:
        row = {
            "source": "kf_message", "body": json.dumps({"open_kfid": open_kfid, "item": item}, ensure_ascii=False),
            "received_at": clock.now(), "not_before": clock.now(), "parked_at": None, "error": None,
        }  # fmt: skip
        try:
            message = messages.parse_kf(open_kfid, item)
            name = str(item["msgid"])
            row |= {"key": message.key, "kind": type(message).__name__}
        except messages.Unreadable as error:
            name = str(row["body"])
            row |= {"key": open_kfid, "kind": "Unreadable", "parked_at": clock.now(), "error": str(error)}
        rows.append({**row, "digest": digest(open_kfid.encode(), name.encode())})
    if rows:
        session.execute(insert(InboxRow).on_conflict_do_nothing(index_elements=["digest"]), rows)
        hint(session, LANE)


def ask(session: Session, question: Any) -> None:
    """Keep a question of our own to WeCom, to be read and taken by its receivers like a message, after the commit.

    question: a dataclass of JSON values. Of no key, so that one that fails and is retried holds up nothing.
    """
    session.add(InboxRow(
        digest=digest(uuid.uuid4().bytes), key="", source="own", kind=type(question).__name__, attempts=0,
        body=json.dumps(asdict(question), ensure_ascii=False), received_at=clock.now(), not_before=clock.now(),
    ))  # fmt: skip
    hint(session, LANE)


def due(session: Session, limit: int) -> list[InboxRow]:
    """The rows that may be processed now, oldest first, without those that a process of the lane has at hand."""
    return list(session.scalars(_DUE, {"now": clock.now(), "most": limit}))


def process(installation: Installation, wecom: WeCom, row: InboxRow) -> list[outbox.OutboxRow]:
    """Process one row as `due` saw it; returns the outgoing row it claimed, if any: the caller makes its `attempt`.

    Never raises for a failure of the row itself: that is kept on the row. Nothing happens if another took it.
    """
    row_id = row.id
    try:
        message = _message(row)
        wanted = [one for one in receivers if isinstance(message, one.kind)]
        read = [one.read(installation, wecom, message) if one.read else None for one in wanted]
        with installation.transaction(f"callback:{row_id}", lane=LANE) as session:
            seen = {"row_id": row_id, "came_at": row.received_at, "now": clock.now()}
            if session.scalar(_DONE, seen) is None:
                return []
            claimed = outbox.claim_posted(session)
            for one, found in zip(wanted, read, strict=True):
                one.take(session, message, found) if one.read else one.take(session, message)
        return claimed
    except Exception as error:
        expected = isinstance(error, WeComError)  # WeCom is away or says no: where it happened tells nothing more
        log.warning("inbox row failed", row=row_id, kind=row.kind, error=str(error), exc_info=not expected)
        _failed(installation, row_id, error)
        return []


def park(session: Session, row_id: int, reason: str) -> None:
    """Set a row aside for a person, with the reason; its key goes on."""
    session.execute(update(InboxRow).where(InboxRow.id == row_id).values(parked_at=clock.now(), error=reason))


def retry(session: Session, row_id: int) -> None:
    """Put a parked row back to be processed now. Raises NotFound if no such row is parked."""
    found = session.execute(
        update(InboxRow)
        .where(InboxRow.id == row_id, InboxRow.parked_at.is_not(None), InboxRow.done_at.is_(None))
        .values(parked_at=None, attempts=0, not_before=clock.now())
        .returning(InboxRow.id)
    ).first()
    if found is None:
        raise NotFound(f"no parked callback has the id {row_id}")
    hint(session, LANE)


def oldest_wait(session: Session) -> float:
    """Seconds since the oldest undone row came in; 0 when there is none. The queue age of `/readyz` and the console."""
    undone = select(func.min(InboxRow.received_at)).where(InboxRow.done_at.is_(None), InboxRow.parked_at.is_(None))
    oldest: datetime | None = session.scalar(undone)
    return max(0.0, (clock.now() - oldest).total_seconds()) if oldest else 0.0


def forget_done(session: Session) -> None:
    """Delete rows done more than `KEPT_DAYS` days ago."""
    session.execute(delete(InboxRow).where(InboxRow.done_at < clock.now() - timedelta(days=KEPT_DAYS)))


def _claimable() -> Any:
    earlier = aliased(InboxRow)
    held = (
        select(earlier.id)
        .where(earlier.key == InboxRow.key, earlier.id < InboxRow.id, earlier.done_at.is_(None))
        .where(earlier.parked_at.is_(None))
        .exists()
    )
    return (InboxRow.done_at.is_(None)) & (InboxRow.parked_at.is_(None)) & or_(InboxRow.key == "", ~held)


_DUE = select(InboxRow).where(_claimable(), unclaimed(INBOX, InboxRow.id), InboxRow.not_before <= bindparam("now"))
_DUE = _DUE.order_by(InboxRow.not_before, InboxRow.id).limit(bindparam("most"))

# A row that came again since it was read has another `received_at`, and is read again.
_CLAIM = select(InboxRow.id).where(InboxRow.id == bindparam("row_id"), InboxRow.not_before <= bindparam("now"))
_CLAIM = _CLAIM.where(InboxRow.received_at == bindparam("came_at"), _claimable()).with_for_update(skip_locked=True)
_DONE = update(InboxRow.__table__).where(InboxRow.id == _CLAIM.scalar_subquery())  # type: ignore[arg-type]
_DONE = _DONE.values(done_at=bindparam("now"), error=None).returning(InboxRow.id)


def _message(row: InboxRow) -> Any:
    if row.source == "own":
        kind = next(one.kind for one in receivers if one.kind.__name__ == row.kind)
        return kind(**json.loads(row.body))
    if row.source != "kf_message":
        return messages.parse(row.body.encode())
    kept = json.loads(row.body)
    return messages.parse_kf(kept["open_kfid"], kept["item"])


def _failed(installation: Installation, row_id: int, error: Exception) -> None:
    reason = f"{type(error).__name__}: {error}".split("\n")[0][:500]
    with installation.transaction("system") as session:
        row = session.get(InboxRow, row_id, with_for_update=True)
        if row is None or row.done_at or row.parked_at:
            return
        row.attempts += 1
        row.error = reason
        row.not_before = clock.now() + timedelta(seconds=2 ** (row.attempts - 1))
        if isinstance(error, messages.Unreadable) or row.attempts >= MOST_ATTEMPTS:
            row.parked_at = clock.now()
