"""Uploaded files, checked by content and size, good for three days; pages 90253, 90254, 90256 and 95098."""

from bot.simulator.area import Answer, Area, Call, Raw
from bot.simulator.codes import Refused
from bot.simulator.content import MEDIA_DAYS
from bot.simulator.limits import DAY
from bot.simulator.records import Media
from bot.simulator.world import new_id

area = Area()

MIB = 1 << 20
SMALLEST = 6  # all files have more than 5 bytes
MOST = {"image": 10 * MIB, "voice": 2 * MIB, "video": 10 * MIB, "file": 20 * MIB}
TOO_BIG = {"image": 40009, "voice": 45001, "video": 40011, "file": 40006}
PICTURE_MOST, PICTURES_PER_DAY = 2 * MIB, 1000
MOMENT, ALBUM = 1, 2


@area.api("POST", "media/upload")
def upload(call: Call) -> Answer:
    """A temporary file; `created_at` is a string here."""
    kind = call.query.text("type")
    media = _stored(call, kind, "")
    return {"type": kind, "media_id": media.media_id, "created_at": str(media.created_at)}


@area.api("POST", "media/upload_attachment")
def upload_attachment(call: Call) -> Answer:
    """A file for a Moment or a product album, of no use elsewhere; `created_at` is a number here."""
    kind, scene = call.query.text("media_type"), call.query.number("attachment_type")
    if scene not in (MOMENT, ALBUM):
        raise Refused(40058, "attachment_type is not 1 or 2")
    media = _stored(call, kind, str(scene))
    return {"type": kind, "media_id": media.media_id, "created_at": media.created_at}


@area.api("POST", "media/uploadimg")
def upload_picture(call: Call) -> Answer:
    """A picture with a lasting address, for pic_url fields."""
    name, content, content_type = _file(call)
    if not SMALLEST <= len(content) <= PICTURE_MOST:
        raise Refused(40009)
    _check_kind("image", content)
    if not call.world.limits.allow("media/uploadimg a day", PICTURES_PER_DAY, DAY, call.world.now()):
        raise Refused(45009)
    picture = Media(new_id("", 32), "image", name, content_type, content, int(call.world.now()))
    call.state.pictures[picture.media_id] = picture
    return {"url": f"{call.world.url}/pic/{picture.media_id}"}


@area.api("GET", "media/get")
def get(call: Call) -> Raw:
    media = call.state.media.get(call.query.text("media_id", missing=41006))
    if media is None or media.created_at + MEDIA_DAYS * DAY <= call.world.now():
        raise Refused(40007)
    return Raw(media.content, media.content_type, media.filename)


def _stored(call: Call, kind: str, scene: str) -> Media:
    if kind not in MOST:
        raise Refused(40005 if not scene else 40004, kind)
    name, content, content_type = _file(call)
    if len(content) < SMALLEST:
        raise Refused(40006)
    if len(content) > MOST[kind]:
        raise Refused(TOO_BIG[kind])
    _check_kind(kind, content)
    media = Media(new_id("3", 64), kind, name, content_type, content, int(call.world.now()), scene)
    call.state.media[media.media_id] = media
    return media


def _file(call: Call) -> tuple[str, bytes, str]:
    upload = call.files.get("media")
    if upload is None:
        raise Refused(44001, "no multipart field media")
    return upload.filename or "file", upload.read(), upload.mimetype or "application/octet-stream"


def _check_kind(kind: str, content: bytes) -> None:
    """Refuse content whose first bytes are not of its kind."""
    if kind == "image" and not content.startswith((b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n")):
        raise Refused(40123)
    if kind == "voice" and not content.startswith(b"#!AMR"):
        raise Refused(301017)
    if kind == "video" and content[4:8] != b"ftyp":
        raise Refused(40004, "video is not MP4")
