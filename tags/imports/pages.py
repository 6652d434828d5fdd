"""导入: a file is sent, its columns are confirmed, it is checked, then taken in; who did, and what was refused."""

import csv
import io
from collections.abc import Iterator
from typing import Any

import xlsxwriter
from flask import Response, request, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Forbidden, NotFound
from bot.core.jobs import enqueue
from bot.operators import called, exports
from bot.web import cursors
from bot.web.edge import installation, session
from bot.web.forms import Form
from bot.web.guard import allowed, needs, principal
from bot.web.language import spoken
from bot.web.menu import listed
from bot.web.pages import go, is_fragment, pages, refused, render
from tags.imports import files, jobs, keeping, kinds, masked, service
from tags.imports.files import BadFile
from tags.imports.kinds import Kind
from tags.imports.models import Import
from tags.imports.reasons import Reason

PER_PAGE = 20
PREVIEWED, REASONS_SHOWN = 10, 20
OPEN = ("uploaded", "checked", "stopped", "failed")  # states from which it may be begun
STATES = {
    "uploaded": (_l("待确认列"), "info"), "checking": (_l("检查中"), "info"), "checked": (_l("已检查"), "info"),
    "running": (_l("导入中"), "info"), "done": (_l("已完成"), "good"), "stopped": (_l("已停止"), "warn"),
    "failed": (_l("出错停下了"), "bad"),
}  # fmt: skip

console = pages("imports", __name__)


@console.get("/import")
@listed("customers", _l("导入"), "upload", "/console/import", place=60)
@needs("imports:read")
def index() -> Response:
    return _list(Form())


@console.post("/import")
@needs("imports:write")
def upload() -> BaseResponse:
    form = Form.sent()
    mine = {one.name: one for one in _mine()}
    kind = form.choice("kind", _("要导入的内容"), mine)
    sent = request.files.get("file")
    if sent is None or not sent.filename:
        form.refuse("file", _("请选择一个文件"))
    if form.errors or sent is None:
        return _list(form)
    try:
        sheet = keeping.keep(installation(), sent.stream)
    except BadFile as bad:
        form.refuse("file", _words(bad))
        return _list(form)
    row = service.add(session(), mine[kind], str(sent.filename)[-100:], sheet)
    return go(url_for(".show", import_id=row.id))


@console.get("/import/<int:import_id>")
@needs("imports:read")
def show(import_id: int) -> BaseResponse:
    """The columns and the first rows, or how far it has come, or what became of it; the part that moves polls."""
    row = service.get(session(), import_id)
    about = _about(row, Form(row.mapping))
    if is_fragment() and not about["running"]:
        return go(url_for(".show", import_id=import_id))
    return render("imports/show.html", "imports/_progress.html", **about)


@console.post("/import/<int:import_id>/<any(check, start):step>")
@needs("imports:write")
def begin(import_id: int, step: str) -> BaseResponse:
    """Take the columns as they were chosen, and check the file or take it in."""
    row = service.get(session(), import_id, lock=True)
    kind, form = _my_kind(row), Form.sent()
    if row.state in (*service.RUNNING, "done"):
        return go(url_for(".show", import_id=row.id))
    chosen = {one.key: request.form[one.key] for one in kind.fields(session()) if request.form.get(one.key)}
    if chosen or step == "check":
        heads = range(len(row.sheet["heads"]))
        row.mapping = {key: int(at) for key, at in chosen.items() if at.isdecimal() and int(at) in heads}
    for group in kinds.missing(kind, row.mapping):
        labels = _(" 或 ").join(str(one.label) for one in kind.fields(session()) if one.key in group)
        form.refuse(group[0], _("请选择一列作为 %(labels)s", labels=labels))
    if form.errors:
        return refused("imports/show.html", "imports/_columns.html", **_about(row, form))
    if form.first():
        service.begin(session(), row, dry=step == "check")
        row.job_id = enqueue(session(), jobs.go_through, import_id=row.id, dry=step == "check")
    return go(url_for(".show", import_id=row.id))


@console.post("/import/<int:import_id>/stop")
@needs("imports:write")
def stop(import_id: int) -> BaseResponse:
    """Stop behind the chunk under way."""
    row = service.get(session(), import_id, lock=True)
    _my_kind(row)
    service.stop(session(), row)
    return go(url_for(".show", import_id=row.id))


@console.get("/import/<int:import_id>/rejected")
@needs("imports:read")
def rejected(import_id: int) -> BaseResponse:
    """The rejected rows as they were, each with its reason."""
    row = service.get(session(), import_id)
    path = keeping.path_of(installation(), row.digest)
    if not path.exists():
        raise NotFound(f"the file of import {import_id} is not kept any more")
    whole, lang = _sees_phones(row), spoken()

    def rows(reading: Session) -> Iterator[list[str]]:
        mine = service.get(reading, import_id)
        for cells, because in service.rejected_rows(reading, mine, path):
            shown = cells if whole else masked.cells(cells, mine.mapping)
            yield [*shown, _because(mine, because, whole).words(lang)]

    name = _("%(name)s 退回的行", name=row.name)
    return exports.answer("import", name, [*row.sheet["heads"], _("原因")], rows, row.rejected, {"import": str(row.id)})


@console.get("/import/template/<name>.<any(csv, xlsx):form>")
@needs("imports:read")
def template(name: str, form: str) -> Response:
    """A file with the headings and one row as an example."""
    kind = next((one for one in _mine() if one.name == name), None)
    if kind is None:
        raise NotFound(f"there is no template {name}")
    fields = [one for one in kind.fields(session()) if one.example]
    table = [[str(one.label) for one in fields], [one.example for one in fields]]
    if form == "csv":
        text = io.StringIO()
        csv.writer(text).writerows(table)
        return _attached("\ufeff" + text.getvalue(), "text/csv; charset=utf-8", f"{name}.csv")
    book = io.BytesIO()
    with xlsxwriter.Workbook(book, {"in_memory": True}) as made:
        sheet = made.add_worksheet()
        for number, cells in enumerate(table):
            sheet.write_row(number, 0, cells)
    kind_of_file = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    return _attached(book.getvalue(), kind_of_file, f"{name}.xlsx")


def _attached(body: str | bytes, kind: str, name: str) -> Response:
    return Response(body, content_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _mine() -> list[Kind]:
    """What the caller may import."""
    return [one for one in kinds.kinds if allowed(one.permission)]


def _my_kind(row: Import) -> Kind:
    kind = kinds.of_name(row.kind)
    if not allowed(kind.permission):
        raise Forbidden(f"this account may not import {kind.name}")
    return kind


def _list(form: Form) -> Response:
    rows, following = cursors.page(
        session(), select(Import), [Import.__table__.c.id], PER_PAGE, request.args.get("cursor"), desc=True
    )
    return render(
        "imports/index.html", "imports/_list.html", status=422 if form.errors else 200, form=form, rows=rows,
        following=following, kinds=_mine(), labels={one.name: one.label for one in kinds.kinds}, states=STATES,
        who=called.names(session(), [row.created_by for row in rows], spoken()),
        most=keeping.MOST_BYTES >> 20,
    )  # fmt: skip


def _about(row: Import, form: Form) -> dict[str, Any]:
    kind, here = kinds.of_name(row.kind), keeping.path_of(installation(), row.digest).exists()
    whole = _sees_phones(row)
    reasons = [
        (number, _because(row, because, whole).words(spoken()))
        for number, because in service.rejects(session(), row, REASONS_SHOWN)
    ]  # fmt: skip
    return {
        "row": row, "kind": kind, "form": form, "fields": kind.fields(session()), "heads": row.sheet["heads"],
        "preview": _preview(row, whole) if here and row.state in OPEN else [], "share": service.share(row),
        "running": row.state in service.RUNNING, "open": row.state in OPEN, "here": here, "state": STATES[row.state],
        "reasons": reasons,
        "needed": {key for group in kind.needed if len(group) == 1 for key in group},
        "who": called.names(session(), [row.created_by], spoken()).get(row.created_by, row.created_by),
    }  # fmt: skip


def _sees_phones(row: Import) -> bool:
    """Whether the caller sees phones in the file whole: by his right to, or since the file came from him."""
    return exports.plain_phones() or row.created_by == principal().actor


def _because(row: Import, because: Reason, whole: bool) -> Reason:
    return because if whole else masked.reason(because, row.sheet["heads"], row.mapping)


def _preview(row: Import, whole: bool) -> list[list[str]]:
    sheet = files.reopened(keeping.path_of(installation(), row.digest), row.sheet)
    shown = [cells[: len(sheet.heads)] for cells in files.read(sheet, sheet.body, PREVIEWED).cells]
    return shown if whole else [masked.cells(cells, row.mapping) for cells in shown]


def _words(bad: BadFile) -> str:
    said = {
        "empty": _("文件是空的"), "binary": _("既不是 CSV 也不是 XLSX"), "no rows": _("只有表头，没有数据行"),
        "headings": _("读不出表头那一行"), "too large": _("展开后太大了，请另存为 CSV"),
        "encoding": _("文字编码既不是 UTF-8 也不是 GB18030，请另存为 UTF-8 的 CSV"),
        "size": _("最多 %(most)s MB，它更大；更大的文件用 fugou import 命令导入", most=keeping.MOST_BYTES >> 20),
        "sparse": _("有内容的格子相距太远（%(found)s），请删掉离表格很远的那些格子", found=bad.facts.get("found", "")),
        "columns": _("列太多了，最多 %(most)s 列", most=files.MOST_COLUMNS),
        "format": _("这是 %(what)s，请另存为 .xlsx，或 UTF-8 的 CSV", what=bad.facts.get("what", "")),
    }  # fmt: skip
    return str(said[bad.code])
