"""内容素材: the library with what uses each file, upload and delete; the file itself, as an attachment (W4)."""

import math
from pathlib import PurePath

from flask import Response, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_pgettext
from werkzeug.wrappers import Response as BaseResponse

from bot.operators import called
from bot.web import cursors
from bot.web.edge import installation, session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.language import spoken
from bot.web.menu import listed
from bot.web.pages import drawer, go, is_fragment, pages, render, toast
from handlers.materials import rules, service
from handlers.materials.models import Material

PER_PAGE = 50
LONGEST_NAME = 100
KINDS = {"image": _l("图片"), "video": _l("视频"), "file": _l("文件")}
ICONS = {"image": "image", "video": "video", "file": "file-text"}
HOLDERS = {
    "welcome_rule": lazy_pgettext("holder", "欢迎语"), "live_code": lazy_pgettext("holder", "渠道活码"),
    "rule": lazy_pgettext("holder", "规则"), "delivery": lazy_pgettext("holder", "等着发的消息"),
}  # fmt: skip

console = pages("materials", __name__)


@console.get("/materials")
@listed("engage", _l("内容素材"), "image", "/console/materials", place=60)
@needs("materials:read")
def index() -> Response:
    return _shown(Form())


@console.post("/materials")
@needs("materials:write")
def upload() -> BaseResponse:
    form = Form.sent()
    kept = take(form)
    if kept and not form.errors:
        toast(_("已上传「%(names)s」", names=_("、").join(one.name for one in kept)))
    return _shown(form) if is_fragment() or form.errors else go(url_for(".index"))


@console.get("/materials/<int:material_id>")
@needs("materials:read")
def show(material_id: int) -> BaseResponse:
    """The drawer with the picture, large, who uploaded it and all that uses it."""
    material = service.get(session(), material_id)
    who = called.names(session(), [material.created_by], spoken())
    return drawer(
        "materials/_show.html", material.name, Form(), row=material, kinds=KINDS, icons=ICONS, holders=HOLDERS,
        by=service.held(session()).get(material_id, []), who=who.get(material.created_by, material.created_by),
    )  # fmt: skip


@console.post("/materials/<int:material_id>/delete")
@needs("materials:write")
def delete(material_id: int) -> BaseResponse:
    service.delete(session(), material_id)
    toast(_("素材已删除"))
    return go(url_for(".index"))


@console.get("/materials/<int:material_id>/file")
@needs("materials:read")
def file(material_id: int) -> Response:
    """Downloaded, never a page of its own: what people upload runs nowhere. As a picture in ours it does show."""
    material = service.get(session(), material_id)
    where = service.path_of(installation(), material).resolve()
    return send_file(where, material.mime, as_attachment=True, download_name=material.file_name, max_age=86_400)


def take(form: Form) -> list[Material]:
    """The files sent as `file`, kept under their own names; what is wrong with one stands at that field."""
    sent = [one for one in request.files.getlist("file") if one.filename]
    kept = []
    for one in sent:
        file_name = one.filename or ""
        try:
            name = PurePath(file_name).stem[:LONGEST_NAME] or file_name[:LONGEST_NAME]
            kept.append(service.keep(session(), name, file_name, one.read()))
        except rules.BadFile as bad:
            form.refuse("file", _("「%(name)s」没有上传：%(why)s", name=file_name, why=_words(bad)))
    if not sent:
        form.refuse("file", _("请选择一个文件"))
    return kept


def limits() -> dict[str, object]:
    """What the browser looks at before it sends a file: bytes and a name for each kind."""
    return {"most": rules.MOST_BYTES, "names": {kind: str(name) for kind, name in KINDS.items()}}


def _words(bad: rules.BadFile) -> str:
    if bad.size is None:
        return str(_("图片打不开，请换一张 JPEG 或 PNG"))
    if bad.size < rules.LEAST_BYTES:
        return str(_("文件太小，企业微信要多于 5 个字节"))
    found, most = math.ceil(bad.size * 10 / rules.MIB) / 10, rules.MOST_BYTES[bad.kind] // rules.MIB
    return str(_("%(kind)s最多 %(most)s MB，它有 %(found)s MB", kind=KINDS[bad.kind], most=most, found=found))


def _shown(form: Form) -> Response:
    kind = request.args.get("kind", "")
    rows, following = cursors.page(
        session(), service.listing(kind if kind in KINDS else None), [Material.__table__.c.id], PER_PAGE,
        request.args.get("cursor"), desc=True,
    )  # fmt: skip
    return render(
        "materials/index.html", "materials/_list.html", status=422 if form.errors else 200, form=form, rows=rows,
        following=following, kind=kind, kinds=KINDS, icons=ICONS, holders=HOLDERS, held=service.held(session()),
        limits=limits(),
    )  # fmt: skip
