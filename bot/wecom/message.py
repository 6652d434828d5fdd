"""What every message of WeCom's has, and tolerant readers of its fields."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.wecom.errors import Unreadable

Fields = Mapping[str, Any]
LATEST = 1 << 35  # unix seconds, the year 3058: beyond it a number is not a time


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """at: CreateTime or send_time, aware UTC, whole seconds."""

    at: datetime

    @property
    def key(self) -> str:
        """Messages with the same key are processed one after the other: whose they are, "" for nobody's."""
        return ""


def text(fields: Fields, name: str) -> str:
    """The field, "" where it is missing or no text."""
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def needed(fields: Fields, name: str) -> str:
    """The field. Raises Unreadable where it is missing, empty or there twice."""
    value = fields.get(name)
    if not isinstance(value, str) or not value:
        raise Unreadable(f"{name} is {'missing' if value in (None, '') else 'not one text'}")
    return value


def number(fields: Fields, name: str) -> int | None:
    """The field, None where it is no number; WeCom writes numbers as numbers here and as strings there."""
    value = fields.get(name)
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 20:
        return int(value)
    return value if isinstance(value, int) else None


def several(fields: Fields, name: str, item: str) -> tuple[str, ...]:
    """The texts of `<name><item>a</item><item>b</item></name>`."""
    outer = fields.get(name)
    inner = outer.get(item, []) if isinstance(outer, Mapping) else []
    return tuple(one for one in (inner if isinstance(inner, list) else [inner]) if isinstance(one, str) and one)


def moment(seconds: object) -> datetime | None:
    """Unix seconds as aware UTC; None for what is none."""
    unix = number({"": seconds}, "")
    return datetime.fromtimestamp(unix, UTC) if unix is not None and 0 <= unix < LATEST else None


def time_of(fields: Fields, name: str) -> datetime:
    """The field as a moment. Raises Unreadable."""
    at = moment(fields.get(name))
    if at is None:
        raise Unreadable(f"{name} is not a time in unix seconds")
    return at
