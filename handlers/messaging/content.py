"""What a message may hold, as every API takes it: text and up to nine attachments (contract.md, wecom.md §3.7)."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Literal, Self

from flask_babel import lazy_gettext as _l
from pydantic import AfterValidator, Field, model_validator
from sqlalchemy.orm import Session

from bot.core.errors import Fault, Unacceptable
from bot.web.api import Body, Ident
from handlers.materials import service as materials
from handlers.messaging import rules
from handlers.messaging.placeholders import check


def _text(most_bytes: int) -> AfterValidator:
    return AfterValidator(lambda value: check(value, most_bytes))


def _bytes(most_bytes: int) -> AfterValidator:
    def checked(value: str) -> str:
        if rules.size(value) > most_bytes:
            raise ValueError(f"has {rules.size(value)} bytes, expected at most {most_bytes}")
        return value

    return AfterValidator(checked)


Address = Annotated[str, Field(pattern=r"^https?://\S+$", max_length=2048), _bytes(2048)]


class MediaFile(Body):
    """A picture, video or file of the material library."""

    type: Literal["image", "video", "file"]
    material_id: Ident


class LinkCard(Body):
    """A card that opens an address. Placeholders in title and desc; an url of `{link}` is her own."""

    type: Literal["link"]
    title: Annotated[str, Field(min_length=1, max_length=128), _text(128)]
    url: Annotated[str, Field(pattern=r"^(https?://\S+|\{(link|链接)\})$", max_length=2048), _bytes(2048)]
    desc: Annotated[str, Field(max_length=512), _text(512)] = ""
    picurl: Address | None = None


class MiniProgram(Body):
    """A card that opens a mini program; its picture is an image of the library."""

    type: Literal["miniprogram"]
    title: Annotated[str, Field(min_length=1, max_length=64), _text(64)]
    appid: Annotated[str, Field(min_length=1, max_length=64)]
    page: Annotated[str, Field(min_length=1, max_length=1024)]
    material_id: Ident


Attachment = Annotated[MediaFile | LinkCard | MiniProgram, Field(discriminator="type")]


class Content(Body):
    """Text with placeholders, and attachments; one of them at least."""

    text: Annotated[str, Field(max_length=rules.TEXT_BYTES), _text(rules.TEXT_BYTES)] = ""
    attachments: list[Attachment] = Field(default_factory=list, max_length=rules.MOST_ATTACHMENTS)

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.text.strip() and not self.attachments:
            raise ValueError("text and attachments are both empty, expected one of them")
        return self


@dataclass(frozen=True)
class LeftOut:
    """Something a message had to go without (C9).

    why: `gave_way` (attachment number `what`, to the card of an invitation), `cut` (the end of the text, to the text of
    an invitation), `no_account` (the card titled `what`: there is no 微信客服 account to link to), `refused` (material
    `what`: WeCom does not take it, in its words `detail`).
    """

    why: str
    what: str = ""
    detail: str = ""


def check_materials(session: Session, content: Content, at: str = "") -> None:
    """Raises Unacceptable, with pointers under `at`, for materials that are not there or of another kind."""
    kinds = materials.kinds(session, material_ids([content]))
    faults = []
    for place, one in enumerate(content.attachments):
        wanted = "image" if isinstance(one, MiniProgram) else one.type
        if isinstance(one, LinkCard) or kinds.get(int(one.material_id)) == wanted:
            continue
        found = kinds.get(int(one.material_id))
        detail = f"is a {found}, expected {wanted}" if found else "is no material"
        words = _l("这个素材不是这里要的种类") if found else _l("这个素材已经没有了")
        faults.append(Fault(f"{at}/attachments/{place}/material_id", f"{one.material_id} {detail}", words))
    if faults:
        raise Unacceptable(f"{faults[0].pointer}: {faults[0].detail}", tuple(faults))


def material_ids(contents: Iterable[Content]) -> set[int]:
    """The ids of the materials that these contents carry."""
    return {int(one.material_id) for each in contents for one in each.attachments if not isinstance(one, LinkCard)}
