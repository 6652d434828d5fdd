"""From what was saved to what WeCom takes: placeholders filled, each carrier's own form (wecom.md §3.7, §4.4).

A media file stands in a payload as `{"material": id}`; the outbox puts WeCom's media id there just before it sends.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from handlers.materials import service as materials
from handlers.messaging import placeholders, rules
from handlers.messaging.content import Attachment, Content, LeftOut, LinkCard, MediaFile, MiniProgram, material_ids
from handlers.messaging.placeholders import Reader

Payload = dict[str, Any]


@dataclass(frozen=True)
class Rendered:
    """A content for one reader."""

    text: str
    attachments: list[Attachment] = field(default_factory=list)
    left_out: list[LeftOut] = field(default_factory=list)


def render(session: Session, content: Content, reader: Reader) -> Rendered:
    """Fill the placeholders, leave out what WeCom is known not to take."""
    refused = materials.refused(session, material_ids([content]))
    kept: list[Attachment] = []
    left_out: list[LeftOut] = []
    for saved in content.attachments:
        one = _filled(session, saved, reader) if isinstance(saved, LinkCard) else saved
        if isinstance(one, LinkCard) and not one.url:
            left_out.append(LeftOut("no_account", one.title))
        elif not isinstance(one, LinkCard) and int(one.material_id) in refused:
            left_out.append(LeftOut("refused", one.material_id, refused[int(one.material_id)]))
        else:
            kept.append(one)
    text = placeholders.fill(session, content.text, reader)
    return Rendered(text, kept, left_out)


def welcome_payload(rendered: Rendered) -> Payload:
    """Text and attachments of `send_welcome_msg`."""
    payload: Payload = {}
    if text := rendered.text.strip():
        payload["text"] = {"content": rules.fit(text, rules.TEXT_BYTES)}
    if rendered.attachments:
        payload["attachments"] = [_attached(one) for one in rendered.attachments]
    return payload


def kf_parts(rendered: Rendered) -> list[Payload]:
    """The 微信客服 messages a content becomes: one of text with the links in words, and one for each other attachment.

    A link card of 微信客服 wants a picture of its own and counts as a message of the five; in the text it is free.
    """
    links = [_in_words(one) for one in rendered.attachments if isinstance(one, LinkCard)]
    text = "\n\n".join(part for part in (rendered.text.strip(), *links) if part)
    texts = [kf_text(piece) for piece in rules.pieces(text, rules.KF_TEXT_BYTES)] if text else []
    return [*texts, *_kf_cards(rendered.attachments)]


def kf_text(text: str) -> Payload:
    """A text message of 微信客服."""
    return {"msgtype": "text", "text": {"content": text}}


def _kf_cards(attachments: list[Attachment]) -> Iterator[Payload]:
    for one in attachments:
        if isinstance(one, MediaFile):
            yield {"msgtype": one.type, one.type: {"media_id": _media(one)}}
        elif isinstance(one, MiniProgram):
            card = {"appid": one.appid, "title": one.title, "thumb_media_id": _media(one), "pagepath": one.page}
            yield {"msgtype": "miniprogram", "miniprogram": card}


def _attached(one: Attachment) -> Payload:
    if isinstance(one, LinkCard):
        link = {"title": one.title, "url": one.url, "desc": one.desc or None, "picurl": one.picurl}
        return {"msgtype": "link", "link": {name: value for name, value in link.items() if value is not None}}
    if isinstance(one, MiniProgram):
        card = {"title": one.title, "pic_media_id": _media(one), "appid": one.appid, "page": one.page}
        return {"msgtype": "miniprogram", "miniprogram": card}
    return {"msgtype": one.type, one.type: {"media_id": _media(one)}}


def _media(one: MediaFile | MiniProgram) -> dict[str, int]:
    return {"material": int(one.material_id)}


def _in_words(link: LinkCard) -> str:
    return "\n".join(part for part in (link.title, link.desc, link.url) if part)


def _filled(session: Session, card: LinkCard, reader: Reader) -> LinkCard:
    words = {name: placeholders.fill(session, getattr(card, name), reader) for name in ("title", "desc", "url")}
    return card.model_copy(update=words)
