"""Leads as lists show them: who she is, and every turn."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import Select, exists, func, select
from sqlalchemy.orm import Session, aliased

from bot.core.installation import installation_of
from handlers.leads import service
from handlers.leads.models import HandOut, Lead
from tags.people.models import Customer, Hint, Identity
from tags.people.phones import masked

State = Literal["open", "handed_out", "added", "refused"]


@dataclass(frozen=True)
class Shown:
    """A lead with her name, her phone (the survivor's, where she was merged) and her turns, oldest first.

    maybe: (id, name) of contacts in whose remark a member wrote her phone; only a person can say that they are one.
    """

    id: str
    customer_id: str
    name: str
    phone: str | None
    city: str
    source: str
    state: str
    not_before: datetime
    turns: list[HandOut]
    maybe: list[tuple[int, str]]

    @property
    def turn(self) -> HandOut | None:
        """The one under way, or the last."""
        return self.turns[-1] if self.turns else None


def of_state(state: str | None, userid: str | None) -> Select[Lead]:
    """Leads in a state, of a member whose turn it is; all where neither is asked for."""
    query = select(Lead).where(Lead.state == state) if state else select(Lead).where(Lead.state != "merged")
    if userid:
        his = exists().where(HandOut.lead_id == Lead.id, HandOut.userid == userid, HandOut.ended_at.is_(None))
        query = query.where(his)
    return query


def listed(session: Session, leads: Sequence[Lead], *, whole: bool = False) -> list[Shown]:
    """These leads, in their order. whole: their phones are not masked."""
    now = aliased(Customer)
    who = select(Customer.id, now).join(now, now.id == func.coalesce(Customer.survivor_id, Customer.id))
    people = dict(session.execute(who.where(Customer.id.in_([one.customer_id for one in leads]))).all())
    vault = installation_of(session).vault
    turns = service.turns(session, [one.id for one in leads])
    maybe = _suggested(session, [one.id for one in people.values()])
    return [
        Shown(
            id=str(one.id), customer_id=str(her.id), name=her.name, city=her.city, source=one.source,
            phone=(str if whole else masked)(vault.decrypt(her.phone)) if her.phone else None, state=one.state,
            not_before=one.not_before, turns=turns.get(one.id, []), maybe=maybe.get(her.id, []),
        )
        for one in leads for her in (people[one.customer_id],)
    ]  # fmt: skip


def _suggested(session: Session, customer_ids: Sequence[int]) -> dict[int, list[tuple[int, str]]]:
    """Whose remark names a phone that is one of these customers' (C2)."""
    same = (Hint.kind == Identity.kind) & (Hint.value == Identity.value)
    rows = (
        select(Identity.customer_id, Customer.id, Customer.name)
        .join(Hint, same)
        .join(Customer, Customer.id == Hint.customer_id)
        .where(Identity.customer_id.in_(customer_ids), Identity.kind == "phone", Customer.id != Identity.customer_id)
        .distinct()
        .order_by(Identity.customer_id, Customer.id)
    )
    found: dict[int, list[tuple[int, str]]] = {}
    for hers, other, name in session.execute(rows):
        found.setdefault(hers, []).append((other, name))
    return found
