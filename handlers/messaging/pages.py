"""What every editor of a message shares: its fields read as a Content, and the phone that shows it as it is typed."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from flask import Response, render_template, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError
from sqlalchemy import or_, select
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.pages import pages
from handlers.materials import service as materials
from handlers.materials.models import Material
from handlers.materials.pages import limits, take
from handlers.materials.service import Holder
from handlers.messaging import notices, rules
from handlers.messaging.content import Attachment, Content, LinkCard, MediaFile, MiniProgram, material_ids
from handlers.messaging.models import Delivery
from handlers.messaging.placeholders import MARK, longest, placeholders, samples
from tags.people import staff
from tags.people.models import Customer
from tags.people.panels import Choice, offers

MOST_MATERIALS = 50  # the newest of the library, to choose from
LINK = ("link_title", "link_url", "link_desc")
MINI = ("mini_title", "mini_appid", "mini_page", "mini_cover")
ICONS = {"image": "image", "video": "video", "file": "file-text", "miniprogram": "app-window", "link": "link"}

Card = TypeVar("Card", LinkCard, MiniProgram)

console = pages("messaging", __name__)


@dataclass(frozen=True)
class Draft:
    """What the editor shows beside its fields. said: what placeholders say to the customer of the preview.

    library: the newest materials and those that are chosen; limits: of what is uploaded.
    kept: attachments it has no fields for, which stay as they are.
    """

    library: Sequence[Material]
    messages: list[dict[str, Any]]
    names: list[str]
    said: dict[str, str]
    limits: dict[str, Any]
    kept: list[Attachment] = field(default_factory=list)


@console.post("/messages/preview")
@needs("console:read")
def preview() -> Response:
    return Response(render_template("messaging/_phone.html", draft=draft(session(), Form.sent())))


@offers("waiting", _l("消息在等"))
def waiting(session: Session) -> list[Choice]:
    """The members for whose customers something waits to leave."""
    counts = notices.waiting(session)
    names = staff.names(session, [userid for userid, _count in counts])
    return [(userid, names.get(userid, userid), count) for userid, count in counts]


@console.post("/messages/upload")
@needs("materials:write")
def upload() -> Response:
    """Files uploaded while a message is written: chosen for it at once, with the others that were."""
    form = Form.sent()
    uploaded = take(form)
    form.values = MultiDict([*form.values.items(multi=True), *(("material", str(one.id)) for one in uploaded)])
    html = render_template("messaging/_uploaded.html", form=form, draft=draft(session(), form))
    return Response(html, 422 if form.errors and not uploaded else 200)


@materials.holds
def carried(session: Session) -> Iterator[tuple[int, Holder]]:
    """Materials of messages that wait to leave."""
    waiting = select(Delivery.content, Customer.name).join(Customer, Customer.id == Delivery.customer_id)
    filled = Delivery.content["attachments"].as_string() != "[]"
    for content, name in session.execute(
        waiting.where(Delivery.done_at.is_(None), Delivery.content.is_not(None), filled)
    ):
        for material_id in material_ids([Content.model_validate(content)]):
            yield material_id, Holder("delivery", name)


def values(content: Content | None) -> dict[str, Any]:
    """The fields of the editor for a saved content."""
    if content is None:
        return {}
    link, mini = _first(content, LinkCard), _first(content, MiniProgram)
    cards = dict(zip(LINK, (link.title, link.url, link.desc), strict=True)) if link else {}
    cards |= dict(zip(MINI, (mini.title, mini.appid, mini.page, mini.material_id), strict=True)) if mini else {}
    chosen = [one.material_id for one in content.attachments if isinstance(one, MediaFile)]
    return {"text": content.text, "material": chosen, **cards}


def read(form: Form, saved: Content | None = None, *, optional: bool = False) -> Content | None:
    """The content that was typed, with what of `saved` has no field; None where it is empty and may be, or is refused.

    Words of what is wrong stand at the form's fields.
    """
    text = _text(form)
    attachments = [*_files(form), *_typed_link(form, saved), *_typed_mini(form), *kept(saved)]
    if form.errors:
        return None
    if not text and not attachments:
        if not optional:
            form.refuse("text", _("写几句话，或者选一个素材、填一个链接"))
        return None
    if len(attachments) > rules.MOST_ATTACHMENTS:
        words = _("最多 %(most)s 个附件，现在是 %(found)s 个", most=rules.MOST_ATTACHMENTS, found=len(attachments))
        form.refuse("material", words)
        return None
    return Content(text=text, attachments=attachments)


def draft(session: Session, form: Form, saved: Content | None = None) -> Draft:
    """The editor's surroundings for what the form holds now, however unfinished."""
    typed = {name: str(form.values.get(name, "")).strip() for name in ("text", *LINK, *MINI)}
    chosen = [str(one) for one in form.values.getlist("material")]
    library = _library(session, [*chosen, typed["mini_cover"]])
    messages: list[dict[str, Any]] = [{"text": typed["text"]}] if typed["text"] else []
    messages += [_shown(one) for one in library if str(one.id) in chosen]
    cards = [("link", typed["link_title"], typed["link_desc"] or typed["link_url"])]
    cards += [("miniprogram", typed["mini_title"], _("小程序"))]
    cards += [(one.type, getattr(one, "title", ""), "") for one in kept(saved)]
    messages += [{"card": {"icon": ICONS[kind], "title": name, "note": note}} for kind, name, note in cards if name]
    names = [one.names[-1] for one in placeholders]
    return Draft(library, messages, names, samples(), limits(), kept(saved))


def kept(saved: Content | None) -> list[Attachment]:
    """What of a saved content the editor has no fields for: links and mini programs beyond the first."""
    if saved is None:
        return []
    shown = (_first(saved, LinkCard), _first(saved, MiniProgram))
    return [one for one in saved.attachments if not isinstance(one, MediaFile) and all(one is not it for it in shown)]


def _first(content: Content, kind: type[Card]) -> Card | None:
    return next((one for one in content.attachments if isinstance(one, kind)), None)


def _library(session: Session, chosen: Sequence[str]) -> list[Material]:
    newest = select(Material.id).order_by(Material.id.desc()).limit(MOST_MATERIALS)
    wanted = or_(Material.id.in_(newest), Material.id.in_([int(one) for one in chosen if one.isdecimal()]))
    return list(session.scalars(materials.listing().where(wanted).order_by(Material.id.desc())))


def _shown(one: Material) -> dict[str, Any]:
    """A material as it stands in the chat."""
    if one.kind == "image":
        return {"picture": url_for("materials_pages.file", material_id=one.id), "alt": one.name}
    return {"card": {"icon": ICONS[one.kind], "title": one.name, "note": one.file_name}}


def _text(form: Form) -> str:
    text = form.text("text", _("正文"), longest=rules.TEXT_BYTES, optional=True)
    known = {name for one in placeholders for name in one.names}
    strange = next((name for name in MARK.findall(text) if name not in known), None)
    if strange is not None:
        listed = _("、").join(f"{{{one.names[-1]}}}" for one in placeholders)
        form.refuse("text", _("没有 %(found)s 这个占位符，可以用 %(listed)s", found=f"{{{strange}}}", listed=listed))
    elif (most := longest(text)) > rules.TEXT_BYTES:
        words = _(
            "填好占位符后可能有 %(found)s 字节，最多 %(most)s 字节（一个汉字 3 字节）",
            found=most,
            most=rules.TEXT_BYTES,
        )
        form.refuse("text", words)
    return text


def _files(form: Form) -> list[MediaFile]:
    ids = [int(one) for one in form.values.getlist("material") if str(one).isdigit()]
    kinds = materials.kinds(session(), set(ids))
    return [MediaFile(type=kinds[one], material_id=str(one)) for one in ids if one in kinds]  # type: ignore[arg-type]


def _typed_link(form: Form, saved: Content | None) -> list[LinkCard]:
    title, url, desc = (str(form.values.get(name, "")).strip() for name in LINK)
    if not (title or url or desc):
        return []
    before = _first(saved, LinkCard) if saved else None
    try:
        return [LinkCard(type="link", title=title, url=url, desc=desc, picurl=before.picurl if before else None)]
    except ValidationError as error:
        words = {
            "title": _("标题要有，最多 128 字节（一个汉字 3 字节）"), "desc": _("描述最多 512 字节（一个汉字 3 字节）"),
            "url": _("地址要以 http:// 或 https:// 开头，或者就写 {链接}"),
        }  # fmt: skip
        for one in error.errors():
            name = str(one["loc"][0])
            form.refuse(f"link_{name}", words[name])
        return []


def _typed_mini(form: Form) -> list[MiniProgram]:
    title, appid, page, cover = (str(form.values.get(name, "")).strip() for name in MINI)
    if not (title or appid or page or cover):
        return []
    if materials.kinds(session(), {int(cover)} if cover.isdecimal() else set()).get(int(cover or 0)) != "image":
        form.refuse("mini_cover", _("选一张图片做封面；没有的话先上传一张"))
    try:
        return [MiniProgram(type="miniprogram", title=title, appid=appid, page=page, material_id=cover or "0")]
    except ValidationError as error:
        words = {
            "title": _("标题要有，最多 64 字节（一个汉字 3 字节）"), "appid": _("填小程序的 AppID，例如 wx 开头的一串"),
            "page": _("填小程序的页面路径，例如 pages/index.html"), "material_id": _("选一张图片做封面"),
        }  # fmt: skip
        for one in error.errors():
            name = str(one["loc"][0])
            form.refuse(f"mini_{'cover' if name == 'material_id' else name}", words[name])
        return []
