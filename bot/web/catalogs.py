"""Translations: `python -m bot.web.catalogs compile`, or `update [PACKAGE…]`, which also compiles.

Each package keeps its own words, `translations/<domain>.<locale>.po` (`tags/people/translations/console.en.po`), so
that a feature stays one folder. Set-up compiles all of them into one `.mo` a domain and locale in
`bot.core.i18n.TRANSLATIONS`. `update` collects the words of the source first, keeps what is translated and proposes the
traditional script (OpenCC, with Taiwan's words). A word that a package above in the list already has is not asked for
again; `problems` is what a test looks at.

Domains: `console` (`_`, `ngettext`, `pgettext`, `_l` in Python and templates) and `customer` (`say`, `say_count`).
"""

import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import opencc
from babel.messages import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from bot.core.i18n import CONSOLE_LOCALES, CUSTOMER_LOCALES, TRANSLATIONS

ROOT = Path(__file__).parents[2]
LOCALES = {"console": CONSOLE_LOCALES, "customer": CUSTOMER_LOCALES}
METHODS = [("**/translations/**", "ignore"), ("**.py", "python"), ("**/templates/**.html", "jinja2.ext:babel_extract")]
KEYWORDS: dict[str, dict[str, Any]] = {
    "console": {
        "_": None, "gettext": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2), "npgettext": ((1, "c"), 2, 3),
        "_l": None, "lazy_gettext": None, "lazy_pgettext": ((1, "c"), 2),
    },
    "customer": {"say": (2,), "say_count": (2, 3), "reason": (1,), "Reason": (1,)},
}  # fmt: skip
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]|\{[^{}\s]+\}")


def packages() -> list[Path]:
    """Every package with words of its own, in the order in which they are asked: the machine, then the features."""
    features = [init.parent for room in ("tags", "handlers") for init in sorted((ROOT / room).glob("*/__init__.py"))]
    return [ROOT / "bot", *features]


def source(package: Path, domain: str) -> Catalog:
    """The words of `domain` in the source of `package`."""
    catalog = Catalog()
    found = extract_from_dir(package, METHODS, keywords=KEYWORDS[domain], strip_comment_tags=True)
    for name, _line, message, _comments, context in found:
        catalog.add(message, None, [(name, 0)], context=context)
    return catalog


def po_file(package: Path, domain: str, locale: str) -> Path:
    """Where a package keeps its words."""
    return package / "translations" / f"{domain}.{locale}.po"


def read(path: Path, locale: str) -> Catalog:
    """A package's translations, empty where it has none yet."""
    if not path.exists():
        return Catalog(locale=locale)
    return read_po(io.BytesIO(path.read_bytes()), locale=locale)


def update(only: list[Path]) -> None:
    """Bring the `.po` files of `only` up to date with their source."""
    for domain, locale, package, wanted in _asked():
        path = po_file(package, domain, locale)
        if package not in only or not (wanted or path.exists()):
            continue
        kept = read(path, locale)
        fresh = Catalog(locale=locale)
        for message in wanted:
            former = kept.get(message.id, message.context)
            string = former.string if former is not None and former.string else _proposal(message, locale)
            fresh.add(message.id, string, message.locations, context=message.context)
        path.parent.mkdir(exist_ok=True)
        with path.open("wb") as file:
            write_po(file, fresh, width=120, omit_header=True, sort_output=True, include_lineno=False)


def compile_all() -> None:
    """Write one `.mo` a domain and locale."""
    for domain, locales in LOCALES.items():
        for locale in locales:
            whole = Catalog(locale=locale, charset="utf-8", fuzzy=False)
            for package in packages():
                for message in read(po_file(package, domain, locale), locale):
                    if message.id and message.string:
                        whole.add(message.id, message.string, context=message.context)
            folder = TRANSLATIONS / locale / "LC_MESSAGES"
            folder.mkdir(parents=True, exist_ok=True)
            with (folder / f"{domain}.mo").open("wb") as file:
                write_mo(file, whole)


def problems() -> list[str]:
    """A sentence for each word that is missing, fuzzy, left over, or whose placeholders differ from the source's."""
    found = []
    for domain, locale, package, wanted in _asked():
        path = po_file(package, domain, locale)
        kept = read(path, locale)
        where = path.relative_to(ROOT)
        for message in wanted:
            mine = kept.get(message.id, message.context)
            if mine is None or not all(_texts(mine.string)):
                found.append(f"{where}: {message.id!r} is not translated")
            elif mine.fuzzy:
                found.append(f"{where}: {message.id!r} is marked fuzzy")
            elif any(_placeholders(said) != _placeholders(_texts(message.id)[0]) for said in _texts(mine.string)):
                found.append(f"{where}: {message.id!r} has other placeholders than {mine.string!r}")
        asked = {(message.id, message.context) for message in wanted}
        over = [message.id for message in kept if message.id and (message.id, message.context) not in asked]
        found += [f"{where}: {message!r} is not in the source any more" for message in over]
    return found


def _asked() -> Iterator[tuple[str, str, Path, list[Message]]]:
    """(domain, locale, package, the words asked of it)."""
    for domain, locales in LOCALES.items():
        known: set[object] = set()
        for package in packages():
            wanted = [m for m in source(package, domain) if m.id and (m.id, m.context) not in known]
            known |= {(m.id, m.context) for m in wanted}
            for locale in locales:
                yield domain, locale, package, wanted


def _proposal(message: Message, locale: str) -> str | None:
    if locale != "zh_TW" or not isinstance(message.id, str):
        return None
    return str(opencc.OpenCC("s2twp").convert(message.id))


def _texts(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else [str(value or "")]


def _placeholders(text: str) -> list[str]:
    return sorted(found.group() for found in PLACEHOLDER.finditer(text))


def main(arguments: list[str]) -> str | None:
    """Do what the arguments say; what was wrong with them, or None."""
    if arguments[:1] not in (["compile"], ["update"]):
        return "usage: python -m bot.web.catalogs compile | update [PACKAGE…]"
    if arguments[0] == "update":
        update([ROOT / name for name in arguments[1:]] or packages())
    compile_all()
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
