"""欢迎语: the rules in the order in which they are asked, each as a sentence, and the drawer that edits one (W1)."""

from dataclasses import dataclass
from datetime import time
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Problem
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.menu import listed
from bot.web.pages import drawer, go, pages, render, toast
from handlers.livecodes import service as livecodes
from handlers.livecodes.models import LiveCode
from handlers.messaging import pages as messages
from handlers.messaging.content import Content
from handlers.welcome import editing, rules
from handlers.welcome.models import WelcomeRule
from handlers.welcome.when import WhenBody, of_row
from tags.people import staff

LONGEST_NAME = 60
CUSTOMERS = {"new": _l("新客户"), "returning": _l("回来的客户"), "lapsed": _l("流失后回来的客户")}
DAYS = {
    1: _l("周一"), 2: _l("周二"), 3: _l("周三"), 4: _l("周四"), 5: _l("周五"), 6: _l("周六"), 7: _l("周日"),
}  # fmt: skip

console = pages("welcome", __name__)


@dataclass(frozen=True)
class Shown:
    """A rule in the list. sentence: when it speaks; attachments: how many."""

    row: WelcomeRule
    sentence: str
    text: str
    attachments: int


@console.get("/welcome")
@listed("engage", _l("欢迎语"), "message-circle", "/console/welcome", place=40)
@needs("welcome-rules:read")
def index() -> Response:
    by_id = {row.id: row for row in session().scalars(select(WelcomeRule))}
    order = rules.in_order(rules.Rule(row.id, of_row(row.when)) for row in by_id.values())
    shown = [_shown(by_id[rule.id], rule.when) for rule in order]
    has_default = any(rule.when == rules.When() and by_id[rule.id].enabled for rule in order)
    return render("welcome/index.html", rules=shown, has_default=has_default)


@console.route("/welcome/new", methods=["GET", "POST"])
@needs("welcome-rules:write")
def new() -> BaseResponse:
    return _edit(Form.sent() if request.method == "POST" else Form({"enabled": "1"}), None)


@console.route("/welcome/<int:rule_id>", methods=["GET", "POST"])
@needs("welcome-rules:write")
def edit(rule_id: int) -> BaseResponse:
    rule = editing.get(session(), rule_id)
    return _edit(Form.sent() if request.method == "POST" else Form(_values(rule)), rule)


@console.post("/welcome/<int:rule_id>/switch")
@needs("welcome-rules:write")
def switch(rule_id: int) -> BaseResponse:
    rule = editing.get(session(), rule_id)
    content, when = Content.model_validate(rule.content), WhenBody.model_validate(rule.when)
    editing.change(session(), rule_id, rule.name, when, content, not rule.enabled)
    words = _("「%(name)s」已启用", name=rule.name), _("「%(name)s」已停用", name=rule.name)
    toast(words[0] if rule.enabled else words[1])
    return go(url_for(".index"))


@console.post("/welcome/<int:rule_id>/delete")
@needs("welcome-rules:write")
def delete(rule_id: int) -> BaseResponse:
    editing.delete(session(), rule_id)
    toast(_("规则已删除"))
    return go(url_for(".index"))


def sentence(when: rules.When) -> str:
    """When a rule speaks, in words."""
    parts = []
    if when.live_code_id is not None:
        parts.append(_("扫「%(code)s」来的", code=livecodes.get(session(), when.live_code_id).name))
    if when.staff:
        names = staff.names(session(), when.staff)
        parts.append(_("加%(members)s的", members=_("、").join(names.get(one, one) for one in when.staff)))
    if when.customer is not None:
        parts.append(str(CUSTOMERS[when.customer]))
    if when.weekdays:
        parts.append(_("、").join(str(DAYS[day]) for day in sorted(when.weekdays)))
    if when.hours is not None:
        night = when.hours.until <= when.hours.start
        words = _("%(start)s 到次日 %(until)s") if night else _("%(start)s 到 %(until)s")
        parts.append(words % {"start": f"{when.hours.start:%H:%M}", "until": f"{when.hours.until:%H:%M}"})
    return str(_("，").join(parts) or _("其他所有人"))


def _shown(row: WelcomeRule, when: rules.When) -> Shown:
    content = Content.model_validate(row.content)
    return Shown(row, sentence(when), content.text, len(content.attachments))


def _edit(form: Form, rule: WelcomeRule | None) -> BaseResponse:
    saved = Content.model_validate(rule.content) if rule else None
    if request.method == "POST" and _saved(form, rule, saved):
        toast(_("已保存"))
        return go(url_for(".index"))
    chosen = [str(one) for one in form.values.getlist("staff")]
    return drawer(
        "welcome/_edit.html", _("修改欢迎语") if rule else _("新建欢迎语"), form, rule=rule, chosen=chosen,
        draft=messages.draft(session(), form, saved), members=[(_("成员"), False, staff.choices(session(), chosen))],
        codes=[("", _("不限")), *_codes(rule)],
        customers=[("", _("不限")), *CUSTOMERS.items()], days=[(str(day), name, None) for day, name in DAYS.items()],
    )  # fmt: skip


def _saved(form: Form, rule: WelcomeRule | None, saved: Content | None) -> bool:
    name = form.text("name", _("名称"), longest=LONGEST_NAME)
    when, content = _when(form, rule), messages.read(form, saved)
    if form.errors or content is None:
        return False
    if not form.first():
        return True
    try:
        if rule is None:
            editing.make(session(), name, when, content, form.checked("enabled"))
        else:
            editing.change(session(), rule.id, name, when, content, form.checked("enabled"))
    except Problem as problem:
        form.take(problem)
    return not form.errors


def _when(form: Form, rule: WelcomeRule | None) -> WhenBody:
    codes = [code_id for code_id, _name in _codes(rule)]
    wanted: dict[str, Any] = {
        "live_code_id": form.choice("live_code_id", _("活码"), codes, optional=True),
        "staff": [str(one) for one in form.values.getlist("staff") if one],
        "customer": form.choice("customer", _("客户"), CUSTOMERS, optional=True),
        "weekdays": [int(one) for one in form.choices("weekdays", _("星期"), [str(day) for day in DAYS])],
        "hours": _hours(form),
    }  # fmt: skip
    return WhenBody.model_validate({} if form.errors else {name: value for name, value in wanted.items() if value})


def _hours(form: Form) -> dict[str, str] | None:
    start, until = (str(form.values.get(name, "")).strip() for name in ("start", "until"))
    if not (start or until):
        return None
    for name, typed in (("start", start), ("until", until)):
        try:
            time.fromisoformat(typed)
        except ValueError:
            form.refuse(name, _("请填写时间，例如 21:00"))
    if start == until:
        form.refuse("until", _("两个时间一样；全天就都不填"))
    return {"from": start[:5], "until": until[:5]}


def _values(rule: WelcomeRule) -> dict[str, Any]:
    when = rule.when
    hours = when.get("hours") or {}
    fields = {name: when[name] for name in ("live_code_id", "staff", "customer", "weekdays") if name in when}
    times = {"start": hours.get("from", ""), "until": hours.get("until", "")}
    content = messages.values(Content.model_validate(rule.content))
    return {"name": rule.name, "enabled": rule.enabled, **fields, **times, **content}


def _codes(rule: WelcomeRule | None) -> list[tuple[str, str]]:
    """(id, name) of the codes in use, and of the one this rule is for, whatever became of it."""
    found = list(session().scalars(livecodes.listing().order_by(LiveCode.id.desc())))
    own = (rule.when if rule else {}).get("live_code_id")
    if own is not None and int(own) not in [one.id for one in found]:
        found.append(livecodes.get(session(), int(own)))
    return [(str(one.id), one.name) for one in found]
