"""The language of a page: the operator's account says, else the choice made on the login page, else the browser.

Source strings are Chinese; `en` is the one translation of the console (see `bot.web.catalogs`).
"""

from flask import Flask, g, request, session
from flask_babel import Babel, get_locale

from bot.core.i18n import SOURCE, TRANSLATIONS
from bot.core.settings import Settings

LANGUAGES = {"zh": (SOURCE, "简体中文"), "en": ("en", "English")}  # code -> locale, its own name


def install(app: Flask, settings: Settings) -> None:
    """Let pages of `app` speak the reader's language and the brand's time zone (G2)."""
    Babel(
        app,
        default_locale=SOURCE,
        default_domain="console",
        default_translation_directories=str(TRANSLATIONS),
        locale_selector=_locale,
        timezone_selector=lambda: settings.timezone,
    )


def choose(code: str) -> None:
    """Remember a choice made before anybody has logged in. Raises KeyError for a language there is not."""
    LANGUAGES[code]
    session["language"] = code


def page_language() -> str:
    """The page's language for `<html lang>`."""
    return "zh-CN" if get_locale().language == "zh" else str(get_locale().language)


def spoken() -> str:
    """The locale in which records (`bot.core.i18n`) are told to the reader of this page: zh_CN or en."""
    return "en" if get_locale().language == "en" else SOURCE


def _locale() -> str:
    who = g.get("principal")  # not `caller()`: an error page must not ask the database again
    code = (who and who.language) or session.get("language") or request.accept_languages.best_match(LANGUAGES)
    return LANGUAGES.get(code or "zh", LANGUAGES["zh"])[0]
