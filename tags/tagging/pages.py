"""标签: groups and tags with how many customers have each; the tags on her page (T1, T2)."""

import time
from collections.abc import Callable, Iterator, Sequence

from flask import Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Problem
from bot.core.feature import Register
from bot.core.installation import installation_of
from bot.operators import exports
from bot.web.at_once import at_once
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.language import spoken
from bot.web.menu import Found, finder, listed
from bot.web.pages import drawer, go, pages, render, toast
from tags.conditions.kept import usage
from tags.people import service as people
from tags.people.cards import CustomerAnswer
from tags.people.names import name_key
from tags.people.panels import Choice, offers, panel
from tags.tagging import groups, service
from tags.tagging.errors import NameTaken
from tags.tagging.models import Assignment, Tag, TagGroup

LONGEST = 30  # characters of a tag's or a group's name, WeCom's limit
MOST_AT_ONCE = 50
LONG, SELDOM = 0.1, 100  # seconds from which counts are kept, and how many times as long as counting took
KINDS = {"corp": _l("企业标签"), "profile": _l("本地标签"), "computed": _l("系统算出")}

Make = Callable[[Session], TagGroup | Tag]
Draw = Callable[[Session], str]
beside: Register[Draw] = Register("beside the tags")

console = pages("tagging", __name__)


def stands_beside(draw: Draw) -> Draw:
    """Put what a function draws (HTML of cards) on the page of tags, at their right."""
    return beside.mark(draw, draw)


@console.get("/tags")
@listed("customers", _l("标签与规则"), "tags", "/console/tags", place=30)
@needs("tags:read")
def index() -> Response:
    cards = [draw(session()) for draw in beside]
    every = groups.all_groups(session())
    return render(
        "tagging/index.html", groups=every, counts=_counts(session()), kinds=KINDS, beside=cards,
        users=usage(session(), spoken()),
    )  # fmt: skip


@console.get("/tags/export")
@needs("tags:read")
def export() -> BaseResponse:
    """All tags with how many customers have each, as a file."""
    heads = [_("标签组"), _("种类"), _("标签"), _("客户"), _("企业微信")]

    def rows(reading: Session) -> Iterator[exports.Row]:
        counts = _counts(reading)
        for group, tags in groups.all_groups(reading):
            for tag in tags:
                synced = "" if group.kind != "corp" else _("已同步") if tag.wecom_id else _("等企业微信")
                yield [group.name, str(KINDS[group.kind]), tag.name, counts.get(tag.id, 0), synced]

    total = sum(len(tags) for _group, tags in groups.all_groups(session()))
    return exports.answer("tag", _("标签"), heads, rows, total, {})


@console.route("/tags/groups/new", methods=["GET", "POST"])
@needs("tags:write")
def new_group() -> BaseResponse:
    form = Form({"kind": "corp"})
    if request.method == "POST":
        form = Form.sent()
        name = form.text("name", _("标签组名称"), longest=LONGEST)
        kind = form.choice("kind", _("种类"), ("corp", "profile"))
        tags = _names(form)
        make: Make = lambda own: groups.create_group(own, name, kind, form.checked("single"), tags)  # noqa: E731
        if not form.errors and (not form.first() or _made(form, make)):
            return go(url_for(".index"))
    return drawer("tagging/_new_group.html", _("新建标签组"), form)


@console.route("/tags/groups/<int:group_id>/tags", methods=["GET", "POST"])
@needs("tags:write")
def new_tag(group_id: int) -> BaseResponse:
    form, group = Form(), groups.group_of(session(), group_id)
    if request.method == "POST":
        form = Form.sent()
        name = form.text("name", _("标签名称"), longest=LONGEST)
        if not form.errors and (not form.first() or _made(form, lambda own: groups.create_tag(own, group_id, name))):
            return go(url_for(".index"))
    return drawer("tagging/_new_tag.html", _("加标签"), form, group=group)


@console.post("/tags/groups/<int:group_id>/choice")
@needs("tags:write")
def change_choice(group_id: int) -> BaseResponse:
    group = groups.group_of(session(), group_id)
    groups.set_single_choice(session(), group_id, not group.single_choice)
    words = _("「%(name)s」改为单选", name=group.name), _("「%(name)s」改为多选", name=group.name)
    toast(words[0] if group.single_choice else words[1])
    return go(url_for(".index"))


@console.post("/tags/<int:tag_id>/delete")
@needs("tags:write")
def delete(tag_id: int) -> BaseResponse:
    _gone, confirmed = at_once(lambda own: groups.delete_tag(own, tag_id))
    toast(_("标签已删除") if confirmed else _("企业微信还没有回话，删除会自己完成"))
    return go(url_for(".index"))


@console.route("/customers/<int:customer_id>/tags", methods=["GET", "POST"])
@needs("tags:write")
def hers(customer_id: int) -> BaseResponse:
    """The drawer in which an operator ticks her tags."""
    customer = people.customer(session(), people.survivor(session(), customer_id))
    editable = [(group, tags) for group, tags in groups.all_groups(session()) if group.kind != "computed"]
    had = service.tag_ids(session(), customer.id) & {tag.id for _, tags in editable for tag in tags}
    if request.method == "POST":
        chosen = {int(one) for one in request.form.getlist("tag") if one.isdigit()}
        if Form.sent().first():
            service.change(session(), customer.id, add=sorted(chosen - had), remove=had - chosen, why=_("控制台"))
            toast(_("标签已更新"))
        return go(url_for("people_pages.show", customer_id=customer.id))
    shown = [
        (group.name, group.single_choice, [(tag.id, tag.name, name_key(tag.name)) for tag in tags])
        for group, tags in editable
    ]
    return drawer("tagging/_hers.html", _("打标签"), Form(), customer=customer, groups=shown, chosen=had)


@panel("left", place=10)
def tags_of_hers(session: Session, customer: CustomerAnswer) -> str:
    held = service.of(session, int(customer.id))
    by_group: dict[int, tuple[TagGroup, list[service.Held]]] = {}
    for one in held:
        by_group.setdefault(one.group.id, (one.group, []))[1].append(one)
    return render_template("tagging/_panel.html", her=customer, groups=by_group.values(), count=len(held), kinds=KINDS)


@offers("tag", _l("标签"))
def choices(session: Session) -> list[Choice]:
    counts = _counts(session)
    return [(str(tag.id), tag.name, counts.get(tag.id, 0)) for _, tags in groups.all_groups(session) for tag in tags]


@finder(_l("标签"), "tags:read")
def find_tags(session: Session, words: str) -> list[Found]:
    found = [tag for _, tags in groups.all_groups(session) for tag in tags if words and words in tag.name]
    return [Found(tag.name, url_for("people_pages.index", tag=tag.id), "tags") for tag in found[:5]]


def _made(form: Form, make: Make) -> bool:
    """Whether it was made here and, for a corp one, in WeCom; else the form says why not."""
    try:
        _thing, confirmed = at_once(make)
    except NameTaken:
        form.refuse("name", _("已经有叫这个名字的了"))
        return False
    except Problem as problem:
        form.take(problem)
        return False
    toast(_("已保存") if confirmed else _("已保存，企业微信还没有回话，稍后会自己对上"))
    return True


def _names(form: Form) -> Sequence[str]:
    typed = form.text("tags", _("标签"), longest=MOST_AT_ONCE * (LONGEST + 1))
    names = list(dict.fromkeys(name.strip() for name in typed.replace("、", "\n").split("\n") if name.strip()))
    if len(names) > MOST_AT_ONCE or any(len(name) > LONGEST for name in names):
        words = _("一次最多 %(most)s 个标签，每个最多 %(longest)s 个字", most=MOST_AT_ONCE, longest=LONGEST)
        form.refuse("tags", words)
    return names


def _counts(session: Session) -> dict[int, int]:
    """How many have each tag. Where counting takes long it is done seldom: ten million assignments take two seconds."""
    caches, begun = installation_of(session).caches, time.monotonic()
    until, counts = caches.get("tag counts", (begun, {}))
    if begun < until:
        return dict(counts)
    counted = select(Assignment.tag_id, func.count()).join(Tag).where(Tag.deleted_at.is_(None))
    counts = dict(session.execute(counted.group_by(Assignment.tag_id)).all())
    took = time.monotonic() - begun
    if took > LONG:
        caches["tag counts"] = begun + took * SELDOM, counts
    return counts
