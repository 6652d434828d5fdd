"""Why the segment means her, or not (C9): the event of entering or leaving, and what the segment asks."""

from collections.abc import Sequence
from typing import Any

from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.core.events import EventRow
from bot.core.i18n import say
from tags.conditions.tree import Group, Tree
from tags.people import finding
from tags.segments import service
from tags.segments.models import Segment
from tags.timeline.why import Asked, Because, Question, asks, last, local, page_of, source_words, traces, why

BOUGHT = ("order.paid", "order.refunded")
TURNED_BY: dict[str, tuple[str, ...]] = {
    "orders": BOUGHT, "tier": BOUGHT, "rfm": BOUGHT, "class": BOUGHT, "lifecycle": BOUGHT,
    "consent": ("consent.changed",),
    "balance": ("points.earned", "points.spent", "points.expired", "points.taken_back", "points.adjusted"),
    "field": ("customer.changed",), "contact": ("contact.added", "contact.left", "contact.removed"),
    "group_chat": ("group.joined", "group.left"),
}  # fmt: skip


@page_of("segment", "/console/segments/{}")
@why("segment")
def segment(session: Session, asked: Asked) -> Because:
    """She is in or out, since which event, and which of its conditions decide that now."""
    found = service.get(session, asked.number)
    tree, lang = service.tree_of(session, found), asked.lang
    inside = finding.is_meant(session, tree, asked.customer_id)
    event = last(session, asked.customer_id, "segment.entered", "segment.left", segment_id=found.id)
    if event is not None and (event.name == "segment.entered") != inside:
        event = None  # what moved her is not announced yet, or the segment itself was changed since
    out, into = (
        say(lang, "她不在客群「%(name)s」里。", name=found.name),
        say(lang, "她在客群「%(name)s」里。", name=found.name),
    )
    reasons = [say(lang, "它要求：%(words)s。", words=tree.words(session, lang)), *_parts(session, tree, asked)]
    if event is None:
        reasons.append(_unannounced(session, found, lang))
    return Because(into if inside else out, reasons, event, f"/console/segments/{found.id}")


@traces("segment.entered")
@traces("segment.left")
def moved_by(session: Session, row: EventRow) -> EventRow | None:
    """What turned one of the conditions that the event says moved her: the newest event it is about."""
    found = [_about(session, row, leaf) for leaf in row.data.get("because", ())]
    return max((one for one in found if one is not None), key=lambda one: one.id, default=None)


@asks(_l("客群"))
def segments(session: Session, customer_id: int) -> Sequence[Question]:
    found = session.scalars(service.listing().order_by(Segment.id).limit(50))
    return [Question(f"segment:{one.id}", one.name) for one in found]


def _about(session: Session, row: EventRow, leaf: dict[str, Any]) -> EventRow | None:
    assert row.customer_id is not None
    her, until = row.customer_id, row.at
    if "tag" in leaf:
        return last(session, her, "tag.added", "tag.removed", until=until, tag_id=int(leaf["tag"]))
    if "segment" in leaf:
        return last(session, her, "segment.entered", "segment.left", until=until, segment_id=int(leaf["segment"]))
    names: tuple[str, ...] = next((names for key, names in TURNED_BY.items() if key in leaf), ())
    if "event" in leaf or "last_event" in leaf:
        names = (str(leaf.get("event") or leaf["last_event"]),)
    return last(session, her, *names, until=until) if names else None


def _parts(session: Session, tree: Tree, asked: Asked) -> list[str]:
    """Each condition of the outermost group, whether it holds for her."""
    if not isinstance(tree, Group) or len(tree.nodes) < 2:
        return []
    said = []
    for node in tree.nodes:
        words = node.words(session, asked.lang)
        holds = finding.is_meant(session, node, asked.customer_id)
        said.append(say(asked.lang, "符合：%(words)s。", words=words) if holds
                    else say(asked.lang, "不符合：%(words)s。", words=words))  # fmt: skip
    return said


def _unannounced(session: Session, found: Segment, lang: str) -> str:
    who = source_words(session, found.changed_by, lang)
    return say(
        lang, "客群上次由%(who)s改在 %(day)s；那时就符合的人没有进出记录。", who=who or found.changed_by,
        day=local(session, found.changed_at),
    )  # fmt: skip
