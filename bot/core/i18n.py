"""Words for customers, in her language, outside any request: `say("en", "您有 %(n)s 积分", n="1,200")`.

Source strings are Chinese (zh-CN), so a missed translation never shows English to the people who live here. Operators'
pages use Flask-Babel with the domain `console`; these are the domain `customer`. `python -m bot.web.catalogs` collects
both and compiles them into `TRANSLATIONS`.
"""

import functools
import gettext
from pathlib import Path

TRANSLATIONS = Path(__file__).parent / "translations"
SOURCE = "zh_CN"
CUSTOMER_LOCALES = ("en", "zh_TW")
CONSOLE_LOCALES = ("en",)


def say(locale: str, text: str, **values: object) -> str:
    """`text` in `locale` (`zh_CN`, `zh_TW`, `en`; else Chinese), with `%(name)s` filled from `values`."""
    said = _catalog(locale).gettext(text)
    return said % values if values else said


def say_count(locale: str, one: str, many: str, count: int, **values: object) -> str:
    """Like `say` with the form that `count` takes; `%(count)s` is the count itself."""
    return _catalog(locale).ngettext(one, many, count) % {"count": count, **values}


@functools.cache
def _catalog(locale: str) -> gettext.NullTranslations:
    return gettext.translation("customer", TRANSLATIONS, [locale], fallback=True)
