"""自定义字段: where a brand defines what it wants to know, and the card on her page where it is filled in (C6)."""

from collections.abc import Callable, Sequence

from flask import Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Problem
from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.language import spoken
from bot.web.menu import listed
from bot.web.pages import drawer, go, pages, render, toast
from tags.conditions.kept import usage
from tags.fields import rules, service
from tags.fields.errors import ChoiceTaken, Taken
from tags.fields.models import CustomField
from tags.people import describe
from tags.people import service as people
from tags.people.cards import CustomerAnswer
from tags.people.names import name_key
from tags.people.panels import panel

LONGEST_NAME, LONGEST_CHOICE, MOST_CHOICES = 30, 60, 200
TYPES = {"text": _l("文字"), "number": _l("数字"), "date": _l("日期"), "choice": _l("选项")}
EXPECTED = {
    "text": _l("最多 500 个字"), "number": _l("一个数，最多 4 位小数，现在是 %(found)s"),
    "date": _l("一个日期，如 2026-11-24，现在是 %(found)s"), "choice": _l("选一个给出的选项"),
}  # fmt: skip

console = pages("fields", __name__)


@console.get("/fields")
@listed("settings", _l("自定义字段"), "id-card", "/console/fields", place=30)
@needs("custom-fields:read")
def index() -> Response:
    found, users = service.all_fields(session()), usage(session(), spoken())
    return render(
        "fields/index.html", fields=found, types=TYPES, counts=service.counts(session()),
        used={one.id: users.get(("field", one.key), []) for one in found}, deleted=service.deleted(session()),
    )  # fmt: skip


@console.route("/fields/new", methods=["GET", "POST"])
@needs("custom-fields:write")
def new() -> BaseResponse:
    form = Form({"type": "text"})
    if request.method == "POST":
        form = Form.sent()
        name = form.text("name", _("名称"), longest=LONGEST_NAME)
        kind = form.choice("type", _("类型"), TYPES)
        offered = _choices(form) if kind == "choice" else []
        if not form.errors and _kept(form, lambda: service.create(session(), _key(name), name, kind, offered)):  # type: ignore[arg-type]
            return go(url_for(".index"))
    return drawer("fields/_edit.html", _("新建字段"), form, types=TYPES, field=None)


@console.route("/fields/<int:field_id>", methods=["GET", "POST"])
@needs("custom-fields:write")
def edit(field_id: int) -> BaseResponse:
    field = service.of_id(session(), field_id)
    form = Form({"name": field.name, "choices": "\n".join(field.choices)})
    if request.method == "POST":
        form = Form.sent()
        name = form.text("name", _("名称"), longest=LONGEST_NAME)
        offered = _choices(form) if field.type == "choice" else None
        if not form.errors and _kept(form, lambda: service.change(session(), field_id, name, offered)):
            return go(url_for(".index"))
    return drawer("fields/_edit.html", _("改字段"), form, types=TYPES, field=field)


@console.post("/fields/<int:field_id>/delete")
@needs("custom-fields:write")
def delete(field_id: int) -> BaseResponse:
    service.remove(session(), field_id)
    toast(_("字段已删除，30 天内可以恢复"), undo=url_for(".restore", field_id=field_id))
    return go(url_for(".index"))


@console.post("/fields/<int:field_id>/restore")
@needs("custom-fields:write")
def restore(field_id: int) -> BaseResponse:
    field = service.restore(session(), field_id)
    toast(_("「%(name)s」和客户填的值都回来了", name=field.name))
    return go(url_for(".index"))


@console.route("/customers/<int:customer_id>/fields", methods=["GET", "POST"])
@needs("customers:write")
def hers(customer_id: int) -> BaseResponse:
    """The drawer in which an operator fills in her fields."""
    customer = people.customer(session(), customer_id)
    found = service.all_fields(session())
    values = service.values_of(session(), [customer.id]).get(customer.id, {})
    form = Form({f"field_{one.key}": values.get(one.key, "") for one in found})
    if request.method == "POST":
        form = Form.sent()
        wanted = {one.key: _value(form, one) for one in found}
        if not form.errors:
            if form.first():
                describe.change(session(), customer.id, describe.Changes({}, own=wanted))
                toast(_("资料已更新"))
            return go(url_for("people_pages.show", customer_id=customer.id))
    offers = {one.key: [(choice, choice) for choice in one.choices] for one in found}
    return drawer("fields/_hers.html", _("改资料"), form, customer=customer, fields=found, offers=offers)


@panel("left", place=5)
def fields_of_hers(session: Session, customer: CustomerAnswer) -> str | None:
    found = service.all_fields(session)
    return render_template("fields/_panel.html", her=customer, fields=found) if found else None


def _value(form: Form, field: CustomField) -> str | int | float | None:
    """What was typed in a field as JSON, None where it is empty; what it can't be the form says."""
    name = f"field_{field.key}"
    typed = str(form.values.get(name, "")).strip()
    if not typed:
        return None
    try:
        return rules.as_json(rules.of_text(field.type, field.choices, typed))  # type: ignore[arg-type]
    except ValueError:
        form.refuse(name, _("请填%(expected)s", expected=str(EXPECTED[field.type]) % {"found": typed}))
        return None


def _key(name: str) -> str:
    """A key out of a name, by its sound: 鞋码 → xiema; a number behind it where that is taken."""
    letters = "".join(one for one in name_key(name).partition(" ")[0] if one.isascii() and one.isalnum()).lower()
    base = f"f{letters}" if not letters[:1].isalpha() else letters
    taken = {one.key for one in service.all_fields(session())}
    tried = (base[:36] + (str(n) if n else "") for n in range(len(taken) + 1))
    return next(key for key in tried if key not in taken)


def _choices(form: Form) -> Sequence[str]:
    typed = form.text("choices", _("选项"), longest=MOST_CHOICES * (LONGEST_CHOICE + 1))
    found = list(dict.fromkeys(one.strip() for one in typed.split("\n") if one.strip()))
    if len(found) > MOST_CHOICES or any(len(one) > LONGEST_CHOICE for one in found):
        words = _("最多 %(most)s 个选项，每个最多 %(longest)s 个字", most=MOST_CHOICES, longest=LONGEST_CHOICE)
        form.refuse("choices", words)
    return found


def _kept(form: Form, keep: Callable[[], CustomField]) -> bool:
    """Whether the field was made or changed; else the form says why not."""
    try:
        keep()
    except Taken:
        form.refuse("name", _("已经有一个叫这个名字的字段"))
    except ChoiceTaken:
        form.refuse("choices", _("有客户选了去掉的选项，先把他们改掉"))
    except Problem as problem:
        form.take(problem)
    else:
        toast(_("已保存"))
        return True
    return False
