"""A tree in an address: deflated JSON, base64 without padding; eight leaves take about 300 characters."""

import base64
import json
import zlib
from typing import Any

from bot.core.errors import Unacceptable

MOST_BYTES = 64 * 1024  # of the JSON; a tree of 100 leaves has about 10 KB


def pack(tree: Any) -> str:
    """The tree (JSON) as it stands in an address."""
    plain = json.dumps(tree, ensure_ascii=False, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(zlib.compress(plain, 9)).rstrip(b"=").decode()


def unpack(packed: str, at: str) -> Any:
    """The JSON that `pack` was given; whether it is a tree, `parse` says. Raises Unacceptable with the pointer `at`."""
    try:
        raw = base64.b64decode(packed + "=" * (-len(packed) % 4), altchars=b"-_", validate=True)
        inflating = zlib.decompressobj()
        plain = inflating.decompress(raw, MOST_BYTES)
        if not inflating.eof:
            raise ValueError
        return json.loads(plain)
    except (ValueError, zlib.error, RecursionError):
        raise Unacceptable.at(at, "expected a condition tree as the console's addresses carry it") from None
