"""What materials do when a message is about to leave, and when the clock has asked for them."""

from typing import Any

from sqlalchemy.orm import Session

from bot.core.installation import Installation
from bot.wecom.client import WeCom
from bot.wecom.inbox import receives
from bot.wecom.outbox import prepares
from handlers.materials import media


@prepares
def put_media_ids(installation: Installation, wecom: WeCom, payload: dict[str, Any]) -> dict[str, Any]:
    filled: dict[str, Any] = media.resolve(installation, wecom, payload)
    return filled


@receives(media.Renewal, read=media.upload_ahead)
def renewed(session: Session, renewal: media.Renewal, read: None) -> None:
    """The reading did it all: an upload belongs into no transaction."""
