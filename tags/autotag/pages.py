"""标签与规则, its right side: rules as sentences, and the page on which one is made or changed (T3)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Problem
from bot.core.installation import savepoint
from bot.operators import called
from bot.operators.audit import record_audit
from bot.operators.failures import Failure, Table, fails
from bot.web import pictures
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import allowed, needs
from bot.web.language import spoken
from bot.web.pages import go, pages, refused, render, toast
from tags.autotag import firing, gone, presets, preview, reading, records, service
from tags.autotag.editor import Editor, blank, missing
from tags.autotag.models import TagRule, TagRuleVersion
from tags.autotag.preview import Preview
from tags.autotag.reading import Draft
from tags.tagging.pages import stands_beside

LONGEST_NAME = 60
MOST_FAILED = 50
DAYS = (7, 30, 90, 365)

console = pages("autotag", __name__)


@dataclass(frozen=True)
class Shown:
    """A rule in the list. words: when, if, then; why: why the engine stopped it, or empty."""

    rule: TagRule
    words: tuple[str, str, str]
    hits: records.Hits
    why: str


@dataclass(frozen=True)
class Version:
    """A change in the history: what the rule was from then on."""

    version: int
    at: Any
    by: str
    name: str
    words: str
    enabled: bool
    stopped: str
    hits: int


@dataclass(frozen=True)
class Template:
    """A preset in words."""

    key: str
    name: str
    about: str


@stands_beside
def rules(session: Session) -> str:
    if not allowed("tag-rules:read"):
        return ""
    kept = session.scalars(service.listing().order_by(TagRule.enabled.desc(), TagRule.id.desc())).all()
    hits = records.of_rules(session, [rule.id for rule in kept])
    shown = [
        Shown(rule, records.words(session, rule, spoken()), hits[rule.id], gone.why(session, rule.stopped, spoken()))
        for rule in kept
    ]
    offered = [Template(key, one.name(spoken()), one.about(spoken())) for key, one in presets.PRESETS.items()]
    return render_template("autotag/_rules.html", rules=shown, templates=offered)


@console.route("/tags/rules/new", methods=["GET", "POST"])
@needs("tag-rules:write")
def new() -> BaseResponse:
    if request.method == "POST":
        return _edit(Form.sent(), Editor.sent(session(), request.form), None)
    return _edit(Form({"enabled": "1", "days": "30"}), Editor(session(), blank()), None)


@console.route("/tags/rules/<int:rule_id>", methods=["GET", "POST"])
@needs("tag-rules:write")
def edit(rule_id: int) -> BaseResponse:
    rule = service.get(session(), rule_id)
    if request.method == "POST":
        return _edit(Form.sent(), Editor.sent(session(), request.form), rule)
    on = {"enabled": "1"} if rule.enabled else {}
    return _edit(Form({"name": rule.name, "days": "30", **on}), Editor(session(), reading.draft_of(rule).json()), rule)


@console.post("/tags/rules/<int:rule_id>/switch")
@needs("tag-rules:write")
def switch(rule_id: int) -> BaseResponse:
    rule = service.get(session(), rule_id)
    try:
        with savepoint(session()):
            service.change(session(), rule_id, enabled=not rule.enabled)
    except Problem as problem:
        toast(_("「%(name)s」没有启用：%(why)s", name=rule.name, why=problem.said), tone="bad")
        return go(url_for("tagging_pages.index"))
    words = _("「%(name)s」已启用", name=rule.name), _("「%(name)s」已停用", name=rule.name)
    toast(words[0] if rule.enabled else words[1])
    return go(url_for("tagging_pages.index"))


@console.post("/tags/rules/<int:rule_id>/delete")
@needs("tag-rules:write")
def delete(rule_id: int) -> BaseResponse:
    service.delete(session(), rule_id)
    toast(_("规则已删除"))
    return go(url_for("tagging_pages.index"))


@console.post("/tags/rules/hits/<int:hit_id>/retry")
@needs("failures:write")
def retry(hit_id: int) -> BaseResponse:
    """Do a rule once more that could not be done."""
    error = firing.retry(session(), hit_id)
    record_audit(session(), "rule.retried", str(hit_id))
    toast(_("还是没做成：%(why)s", why=error) if error else _("做成了"), tone="bad" if error else "good")
    return go(url_for("failures_pages.index"))


@fails
def failures(session: Session) -> Table:
    """Rules that could not be done in the last 7 days."""
    count, found = records.failed(session, MOST_FAILED)
    rows = [
        Failure(name, "", hit.at, hit.error, url_for("autotag_pages.retry", hit_id=hit.id), customer_id=hit.customer_id)
        for hit, name in found
    ]  # fmt: skip
    return _("规则"), _("最近 7 天没做成的；她的事件本身没有受影响"), count, rows


@console.post("/tags/rules/templates/<name>")
@needs("tag-rules:write")
def use_template(name: str) -> BaseResponse:
    """A rule of a template, switched off, on the page where it is looked at."""
    rule = presets.use(session(), name, spoken())
    toast(_("已按模板建好，试算一下再启用"))
    return go(url_for(".edit", rule_id=rule.id))


def _edit(form: Form, editor: Editor, rule: TagRule | None) -> BaseResponse:
    op = str(request.form.get("op", ""))
    if op == "save" and _saved(form, editor, rule):
        toast(_("规则已保存"))
        return go(url_for("tagging_pages.index"))
    tried = _tried(form, editor) if op == "try" else None
    people = tried.sample if tried else ()
    answer = refused if form.errors else render
    return answer(
        "autotag/edit.html", "autotag/_edit.html", form=form, editor=editor, rule=rule, sentence=editor.sentence,
        tried=tried, faces=dict(pictures.paths(session(), [one.avatar for one in people])),
        why=gone.why(session(), rule.stopped, spoken()) if rule else "",
        title=_("修改规则") if rule else _("新建规则"), versions=_versions(session(), rule) if rule else [],
        days=[(str(one), ngettext("最近 %(num)s 天", "最近 %(num)s 天", one)) for one in DAYS],
    )  # fmt: skip


def _saved(form: Form, editor: Editor, rule: TagRule | None) -> bool:
    form.text("name", _("名称"), longest=LONGEST_NAME)
    if unfilled := missing(editor):
        form.refuse("", unfilled)
    if form.errors:
        return False
    if not form.first():
        return True
    try:
        with savepoint(session()):
            _write(editor.draft, rule)
    except Problem as problem:
        form.refuse("", problem.said)
    return not form.errors


def _write(draft: Draft, rule: TagRule | None) -> None:
    if rule is None:
        service.make(session(), draft)
    else:
        service.change(session(), rule.id, **vars(draft))


def _tried(form: Form, editor: Editor) -> Preview | None:
    days, read = int(form.choice("days", _("天数"), [str(one) for one in DAYS]) or DAYS[0]), editor.read
    if read is None:
        form.refuse("", missing(editor) or _("还有没填好的地方"))
        return None
    return preview.look(session(), read, days)


def _versions(session: Session, rule: TagRule) -> list[Version]:
    kept = service.versions(session, rule.id)
    names = called.names(session, {one.by for one in kept}, spoken())
    counts = records.by_version(session, rule.id)
    return [_version(session, one, names, counts) for one in kept]


def _version(session: Session, kept: TagRuleVersion, names: Mapping[str, str], counts: Mapping[int, int]) -> Version:
    is_now: dict[str, Any] = kept.after or kept.before or {}
    draft = Draft(is_now["name"], is_now["when"], is_now["if"], is_now["then"], is_now["enabled"])
    words = "".join(records.said(session, reading.kept(session, draft), spoken()))
    return Version(
        kept.version, kept.at, names.get(kept.by, kept.by), draft.name, words, draft.enabled,
        gone.why(session, str(is_now.get("stopped", "")), spoken()), counts.get(kept.version, 0),
    )  # fmt: skip
