"""Keeping statements, and what is in force (S1, G4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce
from bot.core.sets import run
from tags.consents.events import ConsentChanged
from tags.consents.models import Consent
from tags.people import service as people

Purpose = Literal["marketing", "personalisation"]
State = Literal["given", "withdrawn"]
How = Literal["chat", "h5", "console", "api", "import", "shop"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)

NEWEST = """
SELECT DISTINCT ON (a.id, c.purpose) a.id, c.purpose, c.state, c.version, c.at
FROM unnest(%(ids)s::bigint[]) AS a(id) JOIN customers m ON m.id = a.id OR m.survivor_id = a.id
JOIN consents c ON c.customer_id = m.id ORDER BY a.id, c.purpose, c.at DESC, c.id DESC
"""


@dataclass(frozen=True)
class Statement:
    """What is in force, to which version of a text, since when."""

    state: str
    version: str
    at: datetime


def state(
    session: Session, customer_id: int, purpose: Purpose, state: State, *, how: How, version: str = "",
    at: datetime | None = None,
) -> bool:  # fmt: skip
    """Keep what she stated (at: aware UTC, default now) and announce ConsentChanged; whether that is new.

    What says nothing new, the same state to the same text, is not kept again; nor does an older statement that is told
    late change what is in force. Locks her. Raises NotFound.
    """
    hers = people.lock(session, customer_id)[0].id
    at = at or clock.now()
    last = _newest(session, [hers]).get((hers, purpose))
    if last is not None and (last.state, last.version) == (state, version) and at >= last.at:
        return False
    session.add(Consent(
        customer_id=hers, purpose=purpose, state=state, at=at, how=how, version=version, actor=session.info["actor"],
    ))  # fmt: skip
    session.flush()
    changed = last is None or (at >= last.at and last.state != state)
    if changed:
        announce(
            session, ConsentChanged(customer_id=hers, purpose=purpose, state=state, how=how, version=version), at=at
        )
    return changed


def in_force(session: Session, customer_id: int, purpose: Purpose) -> str:
    """given, withdrawn or unknown. Raises NotFound."""
    hers = people.survivor(session, customer_id)
    found = _newest(session, [hers]).get((hers, purpose))
    return found.state if found is not None else "unknown"


def states(session: Session, customer_ids: Sequence[int]) -> dict[int, dict[str, str]]:
    """What is in force for each of these survivors, by purpose."""
    found = _newest(session, customer_ids)
    return {
        one: {purpose: found[one, purpose].state if (one, purpose) in found else "unknown" for purpose in PURPOSES}
        for one in customer_ids
    }


def history(session: Session, customer_id: int) -> list[Consent]:
    """All her statements, newest first, those of customers merged into her included. Raises NotFound."""
    hers = Consent.customer_id.in_(people.family(session, customer_id))
    return list(session.scalars(select(Consent).where(hers).order_by(Consent.at.desc(), Consent.id.desc())))


def _newest(session: Session, customer_ids: Sequence[int]) -> dict[tuple[int, str], Statement]:
    """The statement in force of each survivor and purpose."""
    found = run(session, NEWEST, ids=list(customer_ids))
    return {(owner, purpose): Statement(*said) for owner, purpose, *said in found}
