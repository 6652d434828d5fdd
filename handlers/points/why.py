"""Why a line is in her ledger: its kind and numbers, and the event that brought it about (C9, G4)."""

from sqlalchemy import select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from bot.core.errors import NotFound
from bot.core.events import EventRow
from bot.core.i18n import say
from handlers.points import statement
from handlers.points.statement import LedgerLine
from handlers.points.telling import reason
from tags.people import service as people
from tags.timeline.why import Asked, Because, last, why

EVENTS = {
    "earn": "points.earned", "claw_back": "points.taken_back", "give_back": "points.returned",
    "spend": "points.spent", "expire": "points.expired", "adjust": "points.adjusted",
}  # fmt: skip


@why("points")
def points(session: Session, asked: Asked) -> Because:
    """One line of the ledger."""
    try:
        line = statement.line_of(session, asked.customer_id, asked.number)
    except NoResultFound:
        raise NotFound(f"there is no line {asked.id} in her ledger") from None
    lang = asked.lang
    sign = "+" if line.points > 0 else "−"
    text = say(lang, "%(sign)s%(points)s 积分：%(why)s。", sign=sign, points=f"{abs(line.points):,}",
               why=reason(line.kind, line.facts, lang))  # fmt: skip
    kind, _, named = line.cause.partition(":")
    order = named.partition("/")[0] if kind in ("order", "refund") else ""
    reasons = [say(lang, "订单 %(id)s", id=order)] if order else []
    reasons.append(say(lang, "这笔之后余额 %(balance)s。", balance=f"{line.balance_after:,}"))
    return Because(text, reasons, _event(session, asked, line, order))


def _event(session: Session, asked: Asked, line: LedgerLine, order: str) -> EventRow | None:
    """The event announced with the line: of its order, or the one of its moment."""
    name = EVENTS.get(line.kind)
    if name is None:
        return None
    if order:
        return last(session, asked.customer_id, name, order_id=order) or last(
            session, asked.customer_id, "order.paid", order_id=order
        )
    hers = EventRow.customer_id.in_(people.family(session, asked.customer_id))
    return session.scalar(select(EventRow).where(hers, EventRow.name == name, EventRow.at == line.at).limit(1))
