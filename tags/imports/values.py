"""What people write into the cells of a file: amounts, moments, days, numbers, phones, words (G1, G2). Pure.

Each reader takes a cell without the white space around it, not empty, and returns the value or raises `Bad`. Full-width
digits and signs count as the plain ones.
"""

import re
import unicodedata
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, TypeAlias

from bot.operators.exports import FORMULA
from tags.imports.reasons import Bad, reason
from tags.people.phones import normalised

MOST_FEN = 10**13
AMOUNT = re.compile(r"(?:¥|CNY|RMB)?\s*(\d{1,14}|\d{1,3}(?:,\d{3})+)(?:\.(\d+))?\s*(?:元|CNY|RMB)?")
WHOLE = re.compile(r"\d{1,14}|\d{1,3}(?:,\d{3})+")
SERIAL = re.compile(r"(\d{5})(\.\d+)?")
EXCEL_BEGINS = datetime(1899, 12, 30)  # noqa: DTZ001  # local; Excel counts days from here, its 29 February 1900 included
SERIALS = range(20_000, 80_000)  # 1954 to 2119: shorter numbers are years and counts, longer ones are written dates
DAY = re.compile(r"(\d{4})(?:[-/.]|年)(\d{1,2})(?:[-/.]|月)(\d{1,2})日?|(\d{4})(\d{2})(\d{2})")
CLOCK = re.compile(
    r"[T ]*(\d{1,2})(?::|时|点)(\d{1,2})(?:(?::|分)(\d{1,2})(?:\.\d+)?)?(?:分|秒)?|(\d{2})(\d{2})(\d{2})?"
)
GENDERS = {
    "女": "female", "女士": "female", "f": "female", "female": "female", "男": "male", "先生": "male", "男士": "male",
    "m": "male", "male": "male", "未知": "", "保密": "", "unknown": "",
}  # fmt: skip

Reader: TypeAlias = Callable[[str], Any]


def plain(cell: str) -> str:
    """A cell as the readers take it: without white space around it; full-width digits and signs made plain.

    The apostrophe that an export of ours puts before what could be a formula is taken away again.
    """
    cell = cell.strip() if cell.isascii() else unicodedata.normalize("NFKC", cell).strip()
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA) else cell


def amount(cell: str) -> int:
    """`¥1,234.5`, `1234.50元` → 123450 fen; never a float (G1)."""
    found = AMOUNT.fullmatch(cell)
    fen = (found[2] or "").rstrip("0") if found else ""
    if found is None or len(fen) > 2:
        raise Bad(reason("应为不小于 0 的金额（元），如 1,234.50"))
    value = int(found[1].replace(",", "")) * 100 + int(fen.ljust(2, "0"))
    if value > MOST_FEN:
        raise Bad(reason("应为不超过 %(most)s 元的金额", most=f"{MOST_FEN // 100:,}"))
    return value


def whole(least: int, most: int) -> Reader:
    """A whole number between `least` and `most`, with or without thousands separators; `3.0` is 3."""

    def read(cell: str) -> int:
        cell = cell.removesuffix(".0")
        value = int(cell.replace(",", "")) if WHOLE.fullmatch(cell) else -1
        if not least <= value <= most:
            raise Bad(reason("应为 %(least)s 到 %(most)s 的整数", least=f"{least:,}", most=f"{most:,}"))
        return value

    return read


def moment(zone: tzinfo) -> Reader:
    """A moment as aware UTC: written in one of the usual ways in the brand's zone (G2), or with an offset.

    `2026-11-24 10:24:05`, `2026/11/24 10:24`, `2026年11月24日`, `20261124`, Excel's serial number; a day is its 00:00.
    """

    def read(cell: str) -> datetime:
        try:
            found = datetime.fromisoformat(cell)
        except ValueError:
            found = _written(cell)
        return (found if found.tzinfo else found.replace(tzinfo=zone)).astimezone(UTC)

    return read


def _written(cell: str) -> datetime:
    serial = SERIAL.fullmatch(cell)
    if serial and int(serial[1]) in SERIALS:
        return EXCEL_BEGINS + timedelta(days=int(serial[1]), seconds=round(float(serial[2] or 0) * 86_400))
    head = DAY.match(cell)
    tail = CLOCK.fullmatch(cell[head.end() :].strip()) if head and cell[head.end() :].strip() else None
    try:
        if head is None or (tail is None and cell[head.end() :].strip()):
            raise ValueError
        day = date(*(int(part) for part in head.groups() if part))
        hour, minute, second = (*[int(part) for part in tail.groups() if part], 0, 0, 0)[:3] if tail else (0, 0, 0)
        return datetime.combine(day, time(hour, minute, second))
    except ValueError:
        raise Bad(reason("应为日期或时间，如 2026-11-24 10:24:05")) from None


def day(cell: str) -> date:
    """A calendar day, written in any of the ways of `moment`."""
    try:
        return datetime.fromisoformat(cell).date()
    except ValueError:
        return _written(cell).date()


def phone(cell: str) -> str:
    """A phone as E.164."""
    try:
        return normalised(cell)
    except ValueError:
        raise Bad(reason("应为手机号，境外的要带国家代码，如 +852…")) from None


def gender(cell: str) -> str:
    """female, male or empty."""
    found = GENDERS.get(cell.lower())
    if found is None:
        raise Bad(reason("应为 女、男 或留空"))
    return found


def word(most: int, pattern: str = "") -> Reader:
    """A text of at most `most` characters, on one line; pattern: what it must fully match."""
    fits = re.compile(pattern) if pattern else None

    def read(cell: str) -> str:
        if len(cell) > most:
            raise Bad(reason("最多 %(most)s 个字，这里有 %(found)s 个", most=most, found=len(cell)))
        if fits and not fits.fullmatch(cell):
            raise Bad(reason("不能有空格或斜杠"))
        return cell

    return read


def one_of(choices: Mapping[str, str]) -> Reader:
    """One of the keys of `choices`, whatever the case; its value."""

    def read(cell: str) -> str:
        if cell.lower() not in choices:
            raise Bad(reason("应为 %(choices)s 之一", choices="、".join(choices)))
        return choices[cell.lower()]

    return read
