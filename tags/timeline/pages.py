"""The timeline on her page: newest first, by kind, in the operator's language."""

from collections.abc import Iterator
from types import SimpleNamespace

from flask import Response, render_template, request
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.web import edge
from bot.web.guard import needs
from bot.web.language import spoken
from bot.web.pages import link, pages, render
from tags.people.cards import CustomerAnswer
from tags.people.panels import panel, tab
from tags.timeline import service, why

PER_PAGE = 30
KINDS = {
    "": (_l("全部"), ()),
    "orders": (_l("订单"), ("order.",)),
    "points": (_l("积分"), ("points.", "tier.")),
    "touch": (_l("触达"), ("welcome.", "message.", "invitation.", "link.", "chat.", "question.")),
    "tags": (_l("标签"), ("tag.",)),
    "groups": (_l("社群"), ("group.", "segment_group.")),
}

console = pages("timeline", __name__)


@console.get("/customers/<int:customer_id>/why")
@needs("customers:read")
def answer(customer_id: int) -> Response:
    """The drawer with the answer, why or why not (C9)."""
    found = why.ask(edge.session(), customer_id, request.args.get("about", "")[:100], spoken())
    return render("drawer.html", "timeline/_why.html", part="timeline/_why.html", title=_("为什么？"), found=found)


@panel("right", place=90)
def questions(session: Session, customer: CustomerAnswer) -> str:
    """What can be asked about her."""
    offered = [(label, list(give(session, int(customer.id)))) for label, give in why.askers]
    return render_template("timeline/_questions.html", her=customer, offered=[one for one in offered if one[1]])


@tab("timeline", _l("时间轴"), place=10)
def timeline(session: Session, customer: CustomerAnswer) -> str:
    kind = request.args.get("kind", "") if request.args.get("kind", "") in KINDS else ""
    entries, older = service.page(
        session, int(customer.id), spoken(), limit=PER_PAGE, cursor=request.args.get("cursor"), newest_first=True,
        events=tuple(_names(KINDS[kind][1])),
    )  # fmt: skip
    told = [
        SimpleNamespace(at=one.at, icon=one.told.icon, tone=one.told.tone, title=one.told.text, why=one.told.why)
        for one in entries
    ]
    kinds = [(label, link(kind=name, cursor=None), name == kind) for name, (label, _) in KINDS.items()]
    return render_template(
        "timeline/_tab.html", events=told, kinds=kinds, older=link(cursor=older) if older else None, kind=kind
    )


def _names(beginnings: tuple[str, ...]) -> Iterator[str]:
    return (name for name, _ in service.tellers if name.startswith(beginnings)) if beginnings else iter(())
