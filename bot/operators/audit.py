"""The audit: an append-only row for what an operator or a key changed, sealed once a minute by a hash chain.

A seal covers all rows since the former one. Writers hold a shared lock until they commit and the sealer takes it alone,
so that no row with a smaller id can appear behind a seal; where a long transaction holds it, sealing waits for the
next minute instead of holding up the writers.
"""

import json
from hashlib import sha256
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.checks import check
from bot.operators.models import AuditRow, AuditSeal

LOCK = 0x4675676F75  # "Fugou": the advisory lock between writers of rows and the sealer
PATIENCE_MS = 300  # how long sealing may hold up writers


def record_audit(session: Session, action: str, target: str, before: Any = None, after: Any = None) -> None:
    """Note what the session's actor did: `record_audit(session, "setting.changed", "quiet_hours", old, new)`.

    before, after: JSON, without secrets and without phone numbers in clear.
    """
    session.execute(text("SELECT pg_advisory_xact_lock_shared(:lock)"), {"lock": LOCK})
    actor = session.info["actor"]
    session.add(AuditRow(at=clock.now(), actor=actor, action=action, target=target, before=before, after=after))
    session.flush()


def seal(session: Session) -> int:
    """Seal the rows since the last seal and return how many; 0 where there are none or writers are under way."""
    try:
        with session.begin_nested():
            session.execute(text(f"SET LOCAL lock_timeout = {PATIENCE_MS}"))
            session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    except OperationalError:
        return 0
    last = session.scalar(select(AuditSeal).order_by(AuditSeal.last_id.desc()).limit(1))
    rows = _rows(session, last.last_id if last else 0, None)
    if rows:
        digest = _digest(last.digest if last else b"", rows)
        session.add(AuditSeal(last_id=rows[-1].id, at=clock.now(), digest=digest))
        session.flush()
    return len(rows)


@check("audit: every seal covers the rows it was made over")
def broken_seals(session: Session) -> list[str]:
    """A sentence for each seal whose rows are no longer what was sealed."""
    found, former, digest = [], 0, b""
    for each in session.scalars(select(AuditSeal).order_by(AuditSeal.last_id)):
        digest = _digest(digest, _rows(session, former, each.last_id))
        if digest != each.digest:
            found.append(f"audit rows {former + 1} to {each.last_id} are not what was sealed at {each.at.isoformat()}")
        former, digest = each.last_id, each.digest
    return found


def _rows(session: Session, after_id: int, until_id: int | None) -> list[AuditRow]:
    query = select(AuditRow).where(AuditRow.id > after_id).order_by(AuditRow.id)
    if until_id is not None:
        query = query.where(AuditRow.id <= until_id)
    return list(session.scalars(query))


def _digest(former: bytes, rows: list[AuditRow]) -> bytes:
    made = sha256(former)
    for row in rows:
        content = [row.id, row.at.timestamp(), row.actor, row.action, row.target, row.before, row.after]
        made.update(json.dumps(content, sort_keys=True, separators=(",", ":")).encode() + b"\n")
    return made.digest()
