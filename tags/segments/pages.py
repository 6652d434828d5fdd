"""客群: the list, the editor with its live count, and whom one means (T4)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from flask import Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Conflict, Unacceptable
from bot.operators import called, exports
from bot.web import cursors, pictures
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.language import spoken
from bot.web.menu import Found, finder, listed
from bot.web.pages import go, pages, refused, render, toast
from tags.conditions.compact import unpack
from tags.conditions.counting import counted
from tags.conditions.draft import Draft
from tags.conditions.kept import Kept, usage
from tags.people.cards import CustomerAnswer, cards
from tags.people.narrowing import seen
from tags.people.panels import View, panel, saves
from tags.segments import meant, moves, service
from tags.segments.models import Segment
from tags.segments.moves import Moved

LONGEST_NAME = 60
PER_PAGE = 50
VIEWS = 5

console = pages("segments", __name__)


@dataclass(frozen=True)
class Shown:
    """A segment in the list. users: what goes by it; moved: in the last days; owner: who made it."""

    row: Segment
    words: str
    count: int
    moved: Moved
    users: Sequence[Kept]
    owner: str


@console.get("/segments")
@listed("customers", _l("客群"), "filter", "/console/segments", place=20)
@needs("segments:read")
def index() -> Response:
    words = request.args.get("q", "").strip()
    query = service.listing().where(Segment.name.contains(words, autoescape=True))
    order = (Segment.__table__.c.id,)
    rows, following = cursors.page(session(), query, order, PER_PAGE, request.args.get("cursor"), desc=True)
    return render(
        "segments/index.html", "segments/_list.html", shown=_shown(session(), rows), words=words, following=following
    )


@console.get("/segments/export")
@needs("segments:read")
def export() -> BaseResponse:
    """The list as a file; a segment's members go out with the customer list."""
    words = request.args.get("q", "").strip()
    heads = [_("名称"), _("条件"), _("人数"), _("7 天进入"), _("7 天离开"), _("用在"), _("谁建的"), _("建于")]
    query = service.listing().where(Segment.name.contains(words, autoescape=True))
    order = (Segment.__table__.c.id,)
    return exports.listed("segment", _("客群"), heads, query, order, _cells, {"q": words} if words else {}, desc=True)


def _cells(reading: Session, rows: Sequence[Segment]) -> Iterator[exports.Row]:
    for one in _shown(reading, rows):
        users = "、".join(kept.called for kept in one.users)
        yield [
            one.row.name,
            one.words,
            one.count,
            one.moved.entered,
            one.moved.left,
            users,
            one.owner,
            one.row.created_at,
        ]


@console.route("/segments/new", methods=["GET", "POST"])
@needs("segments:write")
def new() -> BaseResponse:
    if request.method == "POST":
        return _edit(Form.sent(), None)
    packed = request.args.get("where")
    return _edit(Form(), None, unpack(packed, "/where") if packed else None)


@console.route("/segments/<int:segment_id>/edit", methods=["GET", "POST"])
@needs("segments:write")
def edit(segment_id: int) -> BaseResponse:
    segment = service.get(session(), segment_id)
    if request.method == "POST":
        return _edit(Form.sent(), segment)
    return _edit(Form({"name": segment.name, "version": segment.version}), segment, segment.where)


@console.get("/segments/<int:segment_id>")
@needs("segments:read")
def show(segment_id: int) -> Response:
    """Whom it means now, page by page."""
    segment = service.get(session(), segment_id)
    tree = service.tree_of(session(), segment)
    rows, following = meant.page(session(), tree, PER_PAGE, request.args.get("cursor"))
    people = cards(session(), rows)
    return render(
        "segments/show.html", "segments/_members.html", one=_shown(session(), [segment])[0], people=people,
        following=following, faces=pictures.paths(session(), [her.avatar for her in people]),
    )  # fmt: skip


@console.post("/segments/<int:segment_id>/delete")
@needs("segments:write")
def delete(segment_id: int) -> BaseResponse:
    name = service.get(session(), segment_id).name
    service.remove(session(), segment_id)
    toast(_("客群「%(name)s」已删除", name=name))
    return go(url_for(".index"))


@finder(_l("客群"), "segments:read")
def find_segments(session: Session, words: str) -> list[Found]:
    query = service.listing().where(Segment.name.contains(words, autoescape=True)).order_by(Segment.id.desc())
    found = session.scalars(query.limit(5)) if words else ()
    return [Found(one.name, url_for("segments_pages.show", segment_id=one.id), "filter") for one in found]


@saves
def newest(session: Session) -> list[View]:
    """The newest segments, as views of the customer list."""
    rows = list(session.scalars(service.listing().order_by(Segment.id.desc()).limit(VIEWS)))
    counts = counted(session, [service.tree_of(session, one) for one in rows])
    return [View(one.name, {"segment": str(one.id)}, count) for one, count in zip(rows, counts, strict=True)]


def _shown(session: Session, rows: Sequence[Segment]) -> list[Shown]:
    trees = [service.tree_of(session, one) for one in rows]
    counts = counted(session, trees)
    moved = moves.moved(session, [one.id for one in rows])
    users = usage(session, spoken())
    owners = called.names(session, {one.created_by for one in rows}, spoken())
    return [
        Shown(
            row, tree.words(session, spoken()), count, moved.get(row.id, Moved()),
            users.get(("segment", str(row.id)), []), owners.get(row.created_by, row.created_by),
        )
        for row, tree, count in zip(rows, trees, counts, strict=True)
    ]  # fmt: skip


def _users(session: Session, segment: Segment) -> list[Kept]:
    return usage(session, spoken()).get(("segment", str(segment.id)), [])


def _edit(form: Form, segment: Segment | None, where: object = None) -> BaseResponse:
    if request.method == "GET":
        draft = Draft(session(), where if isinstance(where, dict) else {})
    else:
        draft = Draft.sent(session(), form.values)
    if request.form.get("op") in ("save", "overrule"):
        saved = _saved(form, draft, segment)
        if saved is not None:
            toast(_("客群「%(name)s」已保存", name=saved.name))
            return go(url_for(".show", segment_id=saved.id))
    answer = refused if form.errors else render
    theirs = None if segment is None or not _overtaken(form, segment) else _shown(session(), [segment])[0]
    return answer(
        "segments/edit.html", "segments/_edit.html", form=form, draft=draft, segment=segment, theirs=theirs,
        beside=seen(session(), draft.tree) if draft.tree is not None else None,
        users=_users(session(), segment) if segment is not None else [],
        changed_by=called.names(session(), {segment.changed_by}, spoken()) if segment is not None else {},
    )  # fmt: skip


def _overtaken(form: Form, segment: Segment) -> bool:
    """Whether somebody saved another version than the one this form changes."""
    return str(form.values.get("version", "")) != str(segment.version)


def _saved(form: Form, draft: Draft, segment: Segment | None) -> Segment | None:
    name = form.text("name", _("名称"), longest=LONGEST_NAME)
    if draft.tree is None:
        form.refuse("", draft.unfilled)
    if form.errors or draft.tree is None:
        return None
    overtaken = _("您打开以后，有人先保存了。两个版本都在下面，选一个。")
    if segment is not None and _overtaken(form, segment) and request.form["op"] != "overrule":
        form.refuse("", overtaken)
        return None
    if not form.first():
        return segment or session().scalar(service.listing().where(Segment.name == name))
    try:
        if segment is None:
            return service.make(session(), name, draft.tree.json())
        return service.change(session(), segment.id, name=name, where=draft.tree.json(), seen=segment.version)
    except service.NameTaken:
        form.refuse("name", _("已经有一个客群叫「%(name)s」", name=name))
    except Conflict:
        form.refuse("", overtaken)  # while this was on its way
    except Unacceptable as problem:
        form.refuse("", problem.said)
    return None


@panel("left", place=20)
def segments_of_hers(session: Session, customer: CustomerAnswer) -> str:
    """The segments she is in."""
    rows = list(session.scalars(service.listing().order_by(Segment.name)))
    hers = meant.those_with(session, [service.tree_of(session, one) for one in rows], int(customer.id))
    inside = [one for one, so in zip(rows, hers, strict=True) if so]
    return render_template("segments/_panel.html", segments=inside)
