"""The pool: who is in it, whose turn she is, what came of it (C8)."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Conflict, NotFound
from bot.core.events import announce
from bot.core.sets import run
from handlers.leads.events import LeadEnded
from handlers.leads.models import HandOut, Lead
from handlers.leads.preferences import lead_rest_days
from tags.people import service as people
from tags.people.models import Contact, Customer

Result = Literal["refused", "no_answer", "returned"]
RETURNED_AT_ONCE = 200
STANDING = ("refused", "handed_out", "open")  # which of one person's leads stands

GATHER = """
INSERT INTO leads (customer_id, source, state, not_before, made_at)
SELECT c.id, CASE WHEN b.orders > 0 THEN 'buyer' ELSE 'import' END, 'open', %(now)s, %(now)s
FROM customers c LEFT JOIN buyers b ON b.customer_id = c.id
WHERE c.phone_tail <> '' AND c.merged_into IS NULL AND NOT EXISTS (
    SELECT 1 FROM contacts k WHERE k.customer_id = c.id
) AND NOT EXISTS (SELECT 1 FROM leads l WHERE l.customer_id = c.id) AND NOT EXISTS (
    SELECT 1 FROM customers f JOIN leads l ON l.customer_id = f.id WHERE f.survivor_id = c.id
)
ORDER BY c.id ON CONFLICT DO NOTHING RETURNING id
"""


def gather(session: Session) -> int:
    """Take into the pool whoever has a phone and was nobody's contact yet; how many are new."""
    return len(run(session, GATHER, now=clock.now()))


def turn_of(session: Session, lead_id: int) -> tuple[Lead, HandOut | None]:
    """A lead, and whose turn she is; both locked, her customer first. Raises NotFound."""
    customer_id = session.scalar(select(Lead.customer_id).where(Lead.id == lead_id))
    if customer_id is None:
        raise NotFound(f"there is no lead {lead_id}")
    people.lock(session, customer_id)
    lead = session.get_one(Lead, lead_id, with_for_update=True, populate_existing=True)
    return lead, _turn(session, lead_id)


def report(session: Session, lead_id: int, result: Result, note: str = "", *, hand_out_id: int | None = None) -> None:
    """The member says what came of it: refused is final, no answer rests, returned is open at once.

    hand_out_id: of the turn he speaks of. Raises NotFound, Conflict (409) where it is nobody's turn, or another's.
    """
    lead, turn = turn_of(session, lead_id)
    if turn is None or (hand_out_id is not None and turn.id != hand_out_id):
        raise Conflict(f"lead {lead_id} is not handed out, or to another member by now")
    _end(session, lead, turn, result, note)


def came(session: Session, customer_id: int, userid: str = "") -> None:
    """She is a contact now: her lead is done, whoever had it. userid: whom she added, where one is known."""
    lead = next((one for one in _hers(session, customer_id) if one.state != "merged"), None)
    if lead is None or lead.state == "added":
        return
    turn = _turn(session, lead.id)
    if turn is not None:
        _end(session, lead, turn, "added", "" if turn.userid == userid else userid)
    lead.state = "added"


def settle(session: Session, customer_id: int) -> None:
    """Of the leads that came together in one person one stands; the others are `merged` until they are parted (C2).

    Each is first what its own turns made it; then a refusal goes before a turn under way, and that before who rests
    longest. She is locked, and whoever she was merged with.
    """
    hers = _hers(session, customer_id)
    for lead in hers:
        lead.state = _own_state(session, lead)
    for lead in sorted(hers, key=lambda one: (STANDING.index(one.state), -one.not_before.timestamp(), one.id))[1:]:
        turn = _turn(session, lead.id)
        if turn is not None:
            _end(session, lead, turn, "returned", "")
        lead.state = "merged"
    if session.scalar(select(exists().where(Contact.customer_id == customer_id))):
        came(session, customer_id)


def settle_among(session: Session, customer_ids: Sequence[int]) -> None:
    """Settle those of these customers, all locked, who were merged: `gather` may have met a merge under way."""
    merged_into = set(session.scalars(select(Customer.survivor_id).where(Customer.survivor_id.in_(customer_ids))))
    for customer_id in customer_ids:
        if customer_id in merged_into:
            settle(session, customer_id)


def anybody_due(session: Session) -> bool:
    """Whether somebody's time with a lead is over."""
    due = select(HandOut.id).where(HandOut.ended_at.is_(None), HandOut.due_at <= clock.now())
    return session.scalar(due.limit(1)) is not None


def expire(session: Session) -> int:
    """Take back leads whose time is over, some at a time; how many."""
    due = select(HandOut.lead_id).where(HandOut.ended_at.is_(None), HandOut.due_at <= clock.now())
    ids = list(session.scalars(due.order_by(HandOut.due_at).limit(RETURNED_AT_ONCE)))
    people.lock(session, *session.scalars(select(Lead.customer_id).where(Lead.id.in_(ids))))
    for lead_id in ids:
        lead, turn = turn_of(session, lead_id)
        if turn is not None and turn.due_at <= clock.now():
            _end(session, lead, turn, "expired", "")
    return len(ids)


def counts(session: Session) -> dict[str, int]:
    """Leads by state."""
    return dict(session.execute(select(Lead.state, func.count()).group_by(Lead.state)).all())


def results(session: Session) -> dict[str, dict[str, int]]:
    """What came of each member's turns: how often each result, `open` for turns under way."""
    named = func.coalesce(func.nullif(HandOut.result, ""), "open")
    found: dict[str, dict[str, int]] = {}
    for userid, result, number in session.execute(
        select(HandOut.userid, named, func.count()).group_by(HandOut.userid, named).order_by(HandOut.userid)
    ):
        found.setdefault(userid, {})[result] = number
    return found


def turns(session: Session, lead_ids: Sequence[int]) -> dict[int, list[HandOut]]:
    """The turns of each of these leads, oldest first."""
    found: dict[int, list[HandOut]] = {}
    for one in session.scalars(select(HandOut).where(HandOut.lead_id.in_(lead_ids)).order_by(HandOut.id)):
        found.setdefault(one.lead_id, []).append(one)
    return found


def _hers(session: Session, customer_id: int) -> list[Lead]:
    """Her leads, locked: her own, and those of who was merged into her."""
    hers = select(Lead).where(Lead.customer_id.in_(people.family(session, customer_id))).order_by(Lead.id)
    return list(session.scalars(hers.with_for_update()))


def _own_state(session: Session, lead: Lead) -> str:
    results = set(session.scalars(select(HandOut.result).where(HandOut.lead_id == lead.id)))
    return "refused" if "refused" in results else "handed_out" if "" in results else "open"


def _turn(session: Session, lead_id: int) -> HandOut | None:
    turn = select(HandOut).where(HandOut.lead_id == lead_id, HandOut.ended_at.is_(None))
    return session.scalar(turn.with_for_update().execution_options(populate_existing=True))


def _end(session: Session, lead: Lead, turn: HandOut, result: str, note: str) -> None:
    turn.ended_at, turn.result, turn.note = clock.now(), result, note
    lead.state = {"added": "added", "refused": "refused"}.get(result, "open")
    if result == "no_answer":
        lead.not_before = clock.now() + timedelta(days=lead_rest_days.of(session))
    session.flush()
    hers = people.survivor(session, lead.customer_id)
    announce(session, LeadEnded(customer_id=hers, userid=turn.userid, result=result, note=note))
