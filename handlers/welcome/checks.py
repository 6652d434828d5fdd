"""Invariants of welcomes."""

from collections.abc import Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.checks import check
from bot.wecom.outbox import OutboxRow
from handlers.welcome.models import Welcome


@check("welcome: each welcome is what became of its message")
def fates(session: Session) -> Iterator[str]:
    rows = select(Welcome.id, Welcome.state, OutboxRow.state).join(OutboxRow, OutboxRow.id == Welcome.outbox_id)
    for welcome_id, state, sent in session.execute(rows):
        if (state == "sent" and sent != "sent") or (state == "posted" and sent in ("sent", "refused")):
            yield f"welcome {welcome_id} is {state}, its message is {sent}"
