"""How values are written on pages: moments in the brand's zone, money, counts; all of them Jinja filters.

Chinese dates have spaces between digits and characters (`11 月 24 日 10:24`); seconds stand in logs and on hover only.
"""

import re
import zlib
from collections.abc import Mapping
from datetime import date, datetime
from types import MappingProxyType
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime
from flask import Flask
from flask_babel import get_locale, get_timezone
from markupsafe import Markup, escape

from bot.core import clock
from bot.core.money import yuan
from bot.wecom.errcodes import EXPLAINED

DAY = {"zh": ("M 月 d 日", "y 年 M 月 d 日"), "en": ("d MMM", "d MMM y")}
HUES = 6
PLACEHOLDER = re.compile(r"\{[^{}\s]{1,20}\}")


def install(app: Flask) -> None:
    """Make the filters known to templates."""
    for filter_ in (moment, day, time_of_day, full_moment, number, hue, initial, placeholders):
        app.jinja_env.filters[filter_.__name__] = filter_
    app.jinja_env.filters["yuan"] = yuan


def moment(at: datetime) -> str:
    """`11 月 24 日 10:24`, in English `24 Nov 10:24`; with the year where it is not the current one."""
    return f"{day(at)} {time_of_day(at)}"


def day(at: datetime | date) -> str:
    """`11 月 24 日`; a moment's day is the one in the brand's zone."""
    local = _local(at) if isinstance(at, datetime) else at
    this_year = _local(clock.now()).year == local.year
    pattern = DAY.get(get_locale().language, DAY["en"])[not this_year]
    return format_date(local, pattern, locale=get_locale())


def time_of_day(at: datetime) -> str:
    """`10:24` in the brand's zone."""
    return _local(at).strftime("%H:%M")


def full_moment(at: datetime) -> str:
    """`2026-11-24 10:24:05` in the brand's zone, for logs and hover."""
    return format_datetime(_local(at), "yyyy-MM-dd HH:mm:ss", locale="en")


def number(value: int) -> str:
    """Thousands with commas and a true minus: `-1234` → `−1,234`."""
    return f"{value:,}".replace("-", "−")


def hue(name: str) -> int:
    """One of six avatar colours, always the same for a name."""
    return zlib.crc32(name.encode()) % HUES


def initial(name: str) -> str:
    """What stands in for a face: the first character of a name."""
    return name.strip()[:1].upper() or "·"


def placeholders(text: str, said: Mapping[str, str] = MappingProxyType({})) -> Markup:
    """`text` as HTML with each `{placeholder}` tinted, or what it says (by name) in its place; all else escaped."""
    parts, end = [], 0
    for found in PLACEHOLDER.finditer(text):
        parts += [escape(text[end : found.start()]), _tinted(found.group(), said)]
        end = found.end()
    return Markup("").join([*parts, escape(text[end:])])


def explained(errcode: int | None) -> str:
    """What an errcode of WeCom's means, in the reader's language and with its number; "" for one nobody explains."""
    if errcode not in EXPLAINED:
        return ""
    return f"{EXPLAINED[errcode][get_locale().language != 'zh']} ({errcode})"


def _tinted(mark: str, said: Mapping[str, str]) -> Markup:
    return Markup('<span class="ph" title="{}">{}</span>').format(mark, said.get(mark[1:-1], mark))


def _local(at: datetime) -> datetime:
    zone = get_timezone()
    assert isinstance(zone, ZoneInfo)
    return at.astimezone(zone)
