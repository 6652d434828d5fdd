"""Invariants of leads."""

from collections.abc import Iterator

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from bot.core.checks import check
from handlers.leads.models import HandOut, Lead


@check("leads: a lead is handed out exactly while a member has his turn with her")
def handed_out(session: Session) -> Iterator[str]:
    turn = exists().where(HandOut.lead_id == Lead.id, HandOut.ended_at.is_(None))
    for lead_id, state in session.execute(select(Lead.id, Lead.state).where((Lead.state == "handed_out") != turn)):
        yield f"lead {lead_id} is {state}, its hand-outs say otherwise"
