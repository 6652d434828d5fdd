"""Bitmaps of leaves as rows: a process that starts reads them and the changes since, instead of the tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import structlog
from pyroaring import BitMap
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from tags.segments.held import Held
from tags.segments.models import LeafSnapshot, MembershipChange

log = structlog.get_logger(__name__)

USABLE = timedelta(hours=12)  # a snapshot
KEPT = timedelta(hours=24)  # changes: longer than any snapshot that is used, or process that sleeps, looks back


STANDS = select(LeafSnapshot.leaf, LeafSnapshot.digest, LeafSnapshot.kept_at)
AGAIN = timedelta(hours=1)  # so that a process that starts has few changes to read


@dataclass(frozen=True)
class Kept:
    """What a row says."""

    members: BitMap
    position: str
    as_of: datetime


def keep(session: Session, leaves: Mapping[str, Held], position: str) -> None:
    """Write down whom these leaves mean, where that has changed or was written long ago.

    position: the `pg_snapshot` in which they do.
    """
    written = {row.leaf: row for row in session.execute(STANDS)}
    for called, held in leaves.items():
        members = held.members.serialize()
        digest, now, row = sha256(members).digest(), datetime.now(UTC), written.get(called)
        if row is None or row.digest != digest or now - row.kept_at > AGAIN:
            values = {"position": position, "as_of": held.as_of, "kept_at": now, "members": members,
                      "digest": digest}  # fmt: skip
            new = insert(LeafSnapshot).values(leaf=called, **values)
            session.execute(new.on_conflict_do_update(index_elements=["leaf"], set_=values))


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
