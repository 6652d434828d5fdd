"""What every editor of a message shares: its fields read as a Content, and the phone that shows it as it is typed."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from flask import Response, render_template
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError
from sqlalchemy.orm import Session

from bot.web.edge import session
from bot.web.forms import Form
from bot.web.guard import needs
from bot.web.pages import pages
from handlers.materials import service as materials
from handlers.materials.models import Material
from handlers.messaging import notices, rules
from handlers.messaging.content import Attachment, Content, LinkCard, MediaFile
from handlers.messaging.placeholders import MARK, longest, placeholders, samples
from tags.people import staff
from tags.people.panels import Choice, offers

MOST_MATERIALS = 50  # the newest of the library, to choose from
LINK = ("link_title", "link_url", "link_desc")
ICONS = {"image": "image", "video": "video", "file": "file-text", "miniprogram": "app-window", "link": "link"}

console = pages("messaging", __name__)


@dataclass(frozen=True)
class Draft:
    """What the editor shows beside its fields. said: what placeholders say to the customer of the preview.

    kept: attachments it has no fields for, which stay as they are.
    """

    library: Sequence[Material]
    messages: list[dict[str, Any]]
    names: list[str]
    said: dict[str, str]
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


def values(content: Content | None) -> dict[str, Any]:
    """The fields of the editor for a saved content."""
    if content is None:
        return {}
    link = _link(content)
    shown = {"link_title": link.title, "link_url": link.url, "link_desc": link.desc} if link else {}
    chosen = [one.material_id for one in content.attachments if isinstance(one, MediaFile)]
    return {"text": content.text, "material": chosen, **shown}


def read(form: Form, saved: Content | None = None, *, optional: bool = False) -> Content | None:
    """The content that was typed, with what of `saved` has no field; None where it is empty and may be, or is refused.

    Words of what is wrong stand at the form's fields.
    """
    text = _text(form)
    attachments = [*_files(form), *_typed_link(form), *kept(saved)]
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
    library = list(session.scalars(materials.listing().order_by(Material.id.desc()).limit(MOST_MATERIALS)))
    chosen = [str(one) for one in form.values.getlist("material")]
    title = str(form.values.get("link_title", ""))
    messages: list[dict[str, Any]] = [{"text": text} for text in [str(form.values.get("text", "")).strip()] if text]
    cards = [(ICONS[one.kind], one.name, one.file_name) for one in library if str(one.id) in chosen]
    if title:
        cards.append((ICONS["link"], title, str(form.values.get("link_desc", "") or form.values.get("link_url", ""))))
    cards += [(ICONS[one.type], getattr(one, "title", ""), "") for one in kept(saved)]
    messages += [{"card": {"icon": icon, "title": name, "note": note}} for icon, name, note in cards]
    return Draft(library, messages, [one.names[-1] for one in placeholders], samples(), kept(saved))


def kept(saved: Content | None) -> list[Attachment]:
    """What of a saved content the editor has no fields for: mini programs, and links beyond the first."""
    if saved is None:
        return []
    shown = _link(saved)
    return [one for one in saved.attachments if not isinstance(one, MediaFile) and one is not shown]


def _link(content: Content) -> LinkCard | None:
    return next((one for one in content.attachments if isinstance(one, LinkCard)), None)


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


def _typed_link(form: Form) -> list[LinkCard]:
    title, url, desc = (str(form.values.get(name, "")).strip() for name in LINK)
    if not (title or url or desc):
        return []
    try:
        return [LinkCard(type="link", title=title, url=url, desc=desc)]
    except ValidationError as error:
        words = {
            "title": _("标题要有，最多 128 字节（一个汉字 3 字节）"), "desc": _("描述最多 512 字节（一个汉字 3 字节）"),
            "url": _("地址要以 http:// 或 https:// 开头，或者就写 {链接}"),
        }  # fmt: skip
        for one in error.errors():
            name = str(one["loc"][0])
            form.refuse(f"link_{name}", words[name])
        return []
