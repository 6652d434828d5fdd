"""The text and attachments of welcomes, mass sends and Moments: what WeCom takes, and as which messages it arrives."""

from bot.simulator.area import Call
from bot.simulator.codes import Refused
from bot.simulator.fields import Fields
from bot.simulator.records import Message

ATTACHMENTS = ("image", "link", "miniprogram", "video", "file")
MOST = 9
TEXT_SIZE = 4000
MEDIA_DAYS = 3


def checked(call: Call, body: Fields, text_size: int = TEXT_SIZE) -> list[Message]:
    """`text` and `attachments` of a call as messages, in order. Raises Refused where WeCom would.

    The flat form of old calls and of group welcomes, `image` or `link` beside `text`, is an attachment too.
    """
    attachments = body.parts("attachments", MOST, too_many=41064)
    flat = [Fields({"msgtype": kind, kind: body.values[kind]}) for kind in ATTACHMENTS if body.has(kind)]
    messages = [attachment(call, one) for one in (attachments or flat)]
    if words := body.part("text").text("content", size=text_size):
        messages.insert(0, {"msgtype": "text", "text": {"content": words}})
    if not messages:
        raise Refused(40063, "text and attachments are both empty")
    return messages


def attachment(call: Call, fields: Fields, scene: str = "") -> Message:
    """One attachment, checked by its kind; `scene` as for `media`."""
    kind = fields.text("msgtype")
    if kind not in ATTACHMENTS:
        raise Refused(41065, kind)
    part = fields.part(kind)
    if kind == "link":
        part.text("title", size=128, missing=40063)
        part.text("picurl", size=2048)
        part.text("desc", size=512)
        part.text("url", size=2048, missing=40063)
    elif kind == "miniprogram":
        part.text("title", size=64, missing=40063)
        media(call, part.text("pic_media_id", missing=41006), "image", scene)
        part.text("appid", missing=40063)
        part.text("page", missing=40063)
    elif kind == "image" and not part.text("media_id"):
        part.text("pic_url", missing=41006)
    else:
        media(call, part.text("media_id", missing=41006), kind, scene)
    return {"msgtype": kind, kind: dict(part.values)}


def media(call: Call, media_id: str, kind: str, scene: str = "") -> None:
    """Raise Refused 40007 where the media is unknown, over three days old or of another kind, 41072 of another scene.

    `scene` is "" for media/upload, "1" for media/upload_attachment of Moments.
    """
    found = call.state.media.get(media_id)
    if found is None or found.created_at + MEDIA_DAYS * 86400 <= call.world.now():
        raise Refused(40007, media_id)
    if found.type != kind:
        raise Refused(40007, f"{media_id} is a {found.type}, not a {kind}")
    if found.scene != scene:
        raise Refused(41072, media_id)
