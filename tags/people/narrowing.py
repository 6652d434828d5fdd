"""The list narrowed by any condition: a page with the builder, whose tree goes into the list's address (T4)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.web import pictures
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.pages import go, refused, render
from tags.conditions.compact import pack, unpack
from tags.conditions.counting import Look, look
from tags.conditions.draft import Draft
from tags.conditions.tree import Tree
from tags.people.models import Customer
from tags.people.pages import console


@dataclass(frozen=True)
class Seen:
    """A tree's numbers, and some of the people it means with their faces."""

    numbers: Look
    people: Sequence[Customer]
    faces: dict[str, str | None]


def seen(session: Session, tree: Tree) -> Seen:
    """What stands beside a builder."""
    numbers = look(session, tree)
    found = {one.id: one for one in session.scalars(select(Customer).where(Customer.id.in_(numbers.sample)))}
    people = [found[one] for one in numbers.sample if one in found]
    return Seen(numbers, people, dict(pictures.paths(session, [one.avatar for one in people])))


@console.route("/customers/where", methods=["GET", "POST"])
@needs("customers:read")
def where() -> BaseResponse:
    """Build the condition; the list's other filters wait in the address."""
    form, op = Form.sent(), request.form.get("op", "")
    if request.method == "POST":
        draft = Draft.sent(session(), form.values)
    else:
        packed = request.args.get("where")
        draft = Draft(session(), unpack(packed, "/where") if packed else {"all": [{}]})
    if op in ("show", "keep"):
        if draft.tree is not None:
            packed = pack(draft.tree.json())
            others: dict[str, Any] = {name: value for name, value in request.args.items() if name != "cursor"}
            shown = url_for(".index", **others | {"where": packed})
            return go(f"/console/segments/new?where={packed}" if op == "keep" else shown)
        form.refuse("", draft.unfilled)
    answer = refused if form.errors else render
    beside = seen(session(), draft.tree) if draft.tree is not None else None
    return answer("people/where.html", "people/_where.html", draft=draft, beside=beside, form=form)
