"""Pictures that others drew (WeCom's QR codes, avatars), fetched once and shown at our own address.

address(session, way["qr_code"])  ->  https://shop.example/pictures/9f2c…/42b3.png
"""

import re
import time
from collections.abc import Iterable
from datetime import timedelta
from urllib.parse import urlsplit

import requests
from flask import Blueprint, Response
from sqlalchemy import LargeBinary, Update, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.core import clock
from bot.core.crypto import fingerprint
from bot.core.db import At, Base
from bot.core.errors import NotFound, Problem
from bot.core.installation import installation_of
from bot.web import edge
from bot.web.guard import PUBLIC, needs

MOST_BYTES = 2 * 1024 * 1024
PATIENCE_S, LONGEST_S = (3.05, 5), 10  # for the next bytes; for all of them
AGAIN_AFTER = timedelta(minutes=10)
KINDS = {b"\xff\xd8\xff": "image/jpeg", b"\x89PNG\r\n\x1a\n": "image/png"}
FOR_LONG = "public, max-age=2592000, immutable"

blueprint = Blueprint("pictures", __name__)


class NotFetched(Problem):
    """Whoever holds the picture did not give it."""

    status, title = 502, "Picture not available"


class Picture(Base):
    """key: of our address, made from theirs, `url`. body is there once it was asked for; failed_at: it did not come."""

    __tablename__ = "pictures"
    key: Mapped[str] = mapped_column(primary_key=True)
    url: Mapped[str]
    mime: Mapped[str]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    failed_at: Mapped[At | None]


def address(session: Session, url: str) -> str:
    """Our address of the picture at `url` (http or https), for who is elsewhere."""
    return f"{installation_of(session).settings.public_url or ''}{paths(session, [url])[url]}"


def paths(session: Session, urls: Iterable[str]) -> dict[str, str]:
    """The path of each of these pictures at our address, for our own pages; "" for an empty one.

    The last part of a path stays theirs: it names the picture.
    """
    keys = {url: fingerprint(url.encode())[:32] for url in sorted(set(urls)) if url}
    if keys:
        rows = [{"key": key, "url": url, "mime": ""} for url, key in keys.items()]
        session.execute(insert(Picture).values(rows).on_conflict_do_nothing())
    return {"": "", **{url: f"/pictures/{key}/{_last(url)}" for url, key in keys.items()}}


def _last(url: str) -> str:
    return re.sub(r"[^\w.-]", "", urlsplit(url).path.rpartition("/")[2]) or "picture"


def fetch(url: str) -> tuple[str, bytes]:
    """(MIME type, bytes) of a JPEG or PNG of at most 2 MiB. Raises NotFetched where none comes."""
    body, until = b"", time.monotonic() + LONGEST_S
    try:
        with requests.get(url, timeout=PATIENCE_S, allow_redirects=False, stream=True) as answer:
            parts = answer.iter_content(64 * 1024) if answer.status_code == 200 else iter(())
            while (part := next(parts, b"")) and len(body) <= MOST_BYTES and time.monotonic() < until:
                body += part
    except requests.RequestException as error:
        raise NotFetched(f"the picture could not be fetched: {type(error).__name__}") from error
    mime = next((kind for head, kind in KINDS.items() if body.startswith(head)), None)
    if part or mime is None or len(body) > MOST_BYTES:
        raise NotFetched("what came is no picture of at most 2 MiB")
    return mime, body


@blueprint.get("/pictures/<key>/<name>")
@needs(PUBLIC)
def show(key: str, name: str) -> Response:
    """The picture; the first to ask waits until it is fetched. One that did not come is not asked for again at once."""
    picture = edge.session().get(Picture, key)
    if picture is None:
        raise NotFound("there is no such picture")
    if picture.body is None:
        if picture.failed_at is not None and clock.now() < picture.failed_at + AGAIN_AFTER:
            raise NotFetched("the picture could not be fetched a while ago")
        edge.after_rollback(lambda session: session.execute(_failed(key)))
        picture.mime, picture.body = fetch(picture.url)
    return Response(picture.body, content_type=picture.mime, headers={"Cache-Control": FOR_LONG})


def _failed(key: str) -> Update:
    return update(Picture).where(Picture.key == key).values(failed_at=clock.now())
