"""Static files: `asset("ui.css")` is the address of a file with its hash, so browsers may keep it for ever.

A changed file has a new address. Vendored files were compressed at set-up, ours are at their first request; both are
kept in memory (about 2 MB in all).
"""

import functools
import gzip
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from flask import Response, request
from werkzeug.exceptions import NotFound
from werkzeug.security import safe_join

from bot.core.crypto import fingerprint

STATIC = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
WORTH_PACKING = ("text/", "image/svg", "application/json")


@dataclass(frozen=True)
class StaticFile:
    """The bytes of one version of a file, packed too where that is smaller."""

    body: bytes
    packed: bytes | None
    type: str
    version: str


def asset(name: str) -> str:
    """The address of `static/<name>` in its present version. Raises FileNotFoundError where set-up has not made it."""
    return f"/static/{name}?v={_load(name).version}"


def serve(name: str) -> Response:
    """The answer to `/static/<name>`: for ever where the address names this version, else to be asked for again."""
    try:
        file = _load(name)
    except (FileNotFoundError, IsADirectoryError):
        raise NotFound from None
    packed = file.packed if request.accept_encodings.quality("gzip") else None
    response = Response(packed or file.body, content_type=file.type)
    if packed:
        response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
    response.headers["Cache-Control"] = FOR_EVER if request.args.get("v") == file.version else "no-cache"
    response.set_etag(f"{file.version}-gz" if packed else file.version)
    response.make_conditional(request)
    return response


def _load(name: str) -> StaticFile:
    path = safe_join(str(STATIC), name)
    if path is None:
        raise FileNotFoundError(name)
    return _read(Path(path), Path(path).stat().st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _read(path: Path, changed: int) -> StaticFile:
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    twin = path.with_name(path.name + ".gz")
    packed = None
    if twin.exists():
        packed = twin.read_bytes()
    elif kind.startswith(WORTH_PACKING):
        packed = gzip.compress(body, 9, mtime=0)
    type_ = f"{kind}; charset=utf-8" if kind.startswith(WORTH_PACKING) else kind
    return StaticFile(body, packed, type_, fingerprint(body)[:16])
