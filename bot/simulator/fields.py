"""Reading what a /cgi-bin/ call carries, with WeCom's refusals: wrong type, too long or too many is a 40058.

Lengths are counted as the page of the call counts them: `chars` characters or `size` bytes of UTF-8.
"""

import base64
import binascii
import zlib
from collections.abc import Mapping, Sequence
from typing import TypeVar

from bot.simulator.codes import Refused

T = TypeVar("T")


class Fields:
    """One JSON object or one query string. `missing` is the errcode of an absent or empty field (None: it may be)."""

    def __init__(self, values: Mapping[str, object], where: str = "") -> None:
        self.values, self.where = values, where

    def has(self, name: str) -> bool:
        """True where the field is there, even when empty."""
        return self.values.get(name) is not None

    def text(
        self, name: str, *, chars: int = 0, size: int = 0, missing: int | None = None, too_long: int = 40058
    ) -> str:
        """A string; an absent one is ""."""
        value = self.values.get(name)
        if value is None or value == "":
            if missing is not None:
                raise Refused(missing, f"{self.where}{name}")
            return ""
        if not isinstance(value, str):
            raise self.bad(name, "a string")
        if chars and len(value) > chars:
            raise Refused(too_long, f"{self.where}{name} is longer than {chars} characters")
        if size and len(value.encode()) > size:
            raise Refused(too_long, f"{self.where}{name} is longer than {size} bytes")
        return value

    def number(
        self, name: str, default: int = 0, low: int = 0, high: int = 2**32 - 1, missing: int | None = None
    ) -> int:
        """A whole number from `low` to `high`; in a query string it comes as digits."""
        value = self.values.get(name)
        if value is None or value == "":
            if missing is not None:
                raise Refused(missing, f"{self.where}{name}")
            return default
        if isinstance(value, str) and value.isdecimal() and self.where == "?":
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.bad(name, f"a whole number from {low} to {high}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name, default)
        if not isinstance(value, bool) and value not in (0, 1):
            raise self.bad(name, "true or false")
        return bool(value)

    def texts(self, name: str, most: int = 0, missing: int | None = None, too_many: int = 40058) -> list[str]:
        value = self.values.get(name)
        if value is None or value == []:
            if missing is not None:
                raise Refused(missing, f"{self.where}{name}")
            return []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise self.bad(name, "an array of strings")
        if most and len(value) > most:
            raise Refused(too_many, f"{self.where}{name} has more than {most} items")
        return value

    def numbers(self, name: str, most: int = 0) -> list[int]:
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, int) for one in value):
            raise self.bad(name, "an array of numbers")
        if most and len(value) > most:
            raise self.bad(name, f"at most {most} items")
        return value

    def part(self, name: str) -> "Fields":
        """A nested object; an empty one where it is absent."""
        value = self.values.get(name)
        if value is None:
            return Fields({}, f"{self.where}{name}.")
        if not isinstance(value, dict):
            raise self.bad(name, "an object")
        return Fields(value, f"{self.where}{name}.")

    def parts(self, name: str, most: int = 0, too_many: int = 40058) -> list["Fields"]:
        """A nested array of objects."""
        value = self.values.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
            raise self.bad(name, "an array of objects")
        if most and len(value) > most:
            raise Refused(too_many, f"{self.where}{name} has more than {most} items")
        return [Fields(one, f"{self.where}{name}[{index}].") for index, one in enumerate(value)]

    def bad(self, name: str, expected: str) -> Refused:
        return Refused(40058, f"{self.where}{name} is not {expected}")

    def page(self, rows: Sequence[T], default: int, most: int, size: str = "limit") -> tuple[Sequence[T], str]:
        """The rows after this call's `cursor`, `limit` of them, and the next cursor, "" at the end."""
        start = position(self.text("cursor"))
        limit = self.number(size, default, 0, most) or default
        end = start + limit
        return rows[start:end], cursor(end) if end < len(rows) else ""


def cursor(at: int) -> str:
    """An opaque paging cursor for a position."""
    return base64.urlsafe_b64encode(f"{at}.{zlib.crc32(str(at).encode())}".encode()).decode()


def position(text: str) -> int:
    """The position of a cursor, 0 for none. Raises Refused 50100 for one that was never given out."""
    if not text:
        return 0
    try:
        at = int(base64.urlsafe_b64decode(text).split(b".")[0])
    except (binascii.Error, ValueError):
        raise Refused(50100) from None
    if cursor(at) != text:
        raise Refused(50100)
    return at
