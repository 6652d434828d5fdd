"""Bitmaps of leaves as rows: a process that starts reads them and the changes since, instead of the tables."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import structlog
from pyroaring import BitMap
from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tags.segments.held import Held
from tags.segments.models import LeafSnapshot, MembershipChange

log = structlog.get_logger(__name__)

USABLE = timedelta(hours=12)  # a snapshot
KEPT = timedelta(hours=24)  # changes: longer than any snapshot that is used, or process that sleeps, looks back


@dataclass(frozen=True)
class Kept:
    """What a row says."""

    members: BitMap
    position: str
    as_of: datetime


def keep(session: Session, leaf: str, held: Held, position: str) -> None:
    """Write down whom a leaf means. position: the `pg_snapshot` in which it does."""
    members = held.members.serialize()
    values = {"position": position, "as_of": held.as_of, "kept_at": datetime.now(UTC), "members": members,
              "digest": sha256(members).digest()}  # fmt: skip
    row = insert(LeafSnapshot).values(leaf=leaf, **values)
    session.execute(row.on_conflict_do_update(index_elements=["leaf"], set_=values))


def load(session: Session, leaf: str) -> Kept | None:
    """Whom it meant; None where nothing of use is kept."""
    row = session.get(LeafSnapshot, leaf)
    if row is None or datetime.now(UTC) - row.kept_at > USABLE:
        return None
    if sha256(row.members).digest() != row.digest:
        log.warning("a snapshot is damaged, its leaf is found anew", leaf=leaf)
        return None
    return Kept(BitMap.deserialize(row.members), row.position, row.as_of)


def forget(session: Session) -> None:
    """Throw away what nobody looks back to any more."""
    before = datetime.now(UTC) - KEPT
    session.execute(delete(MembershipChange).where(MembershipChange.at < before))
    session.execute(delete(LeafSnapshot).where(LeafSnapshot.kept_at < before))
