"""Why a segment group has this route for her, or none (C9, T7)."""

from collections.abc import Sequence

from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.i18n import say
from tags.groups import routes
from tags.groups.models import Route, SegmentGroup
from tags.timeline.why import Asked, Because, Question, asks, last, page_of, why


@page_of("segment_group", "/console/groups/{}")
@why("group")
def group(session: Session, asked: Asked) -> Because:
    """The route that stands for her with what it goes by; or what the routes ask, of which she has nothing."""
    found, lang = routes.get(session, asked.number), asked.lang
    standing = routes.standing_of(session, asked.customer_id, found.id)
    if standing:
        route = session.get_one(Route, standing[0].route_id)
        text = say(lang, "她归细分社群「%(name)s」。", name=found.name)
        reasons = [say(lang, "因为她%(words)s。", words=_words(session, route, lang)), _seat(session, asked, route)]
        event = last(session, asked.customer_id, "group.assigned", segment_group_id=found.id)
        return Because(text, reasons, event)
    asks_for = "；".join(_words(session, route, lang) for route in routes.routes_of(session, found.id))
    text = say(lang, "细分社群「%(name)s」没有她的去处。", name=found.name)
    reasons = [say(lang, "去处按顺序要求：%(words)s。她都不符合。", words=asks_for)]
    return Because(text, reasons, last(session, asked.customer_id, "group.unassigned", segment_group_id=found.id))


@asks(_l("细分社群"))
def groups(session: Session, customer_id: int) -> Sequence[Question]:
    open_ones = select(SegmentGroup).where(SegmentGroup.closed_at.is_(None)).order_by(SegmentGroup.id).limit(50)
    return [Question(f"group:{one.id}", one.name) for one in session.scalars(open_ones)]


def _words(session: Session, route: Route, lang: str) -> str:
    return routes.basis(route.tag_id, route.segment_id).words(session, lang)


def _seat(session: Session, asked: Asked, route: Route) -> str:
    seat = routes.seat_in(session, asked.customer_id, route.id)
    if seat is None:
        return say(asked.lang, "她还不在对应的群里。")
    return say(asked.lang, "她已经在群「%(chat)s」里。", chat=seat)
