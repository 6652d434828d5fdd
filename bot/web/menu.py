"""The console's menu and its find box: what features put there.

    @pages.get("/customers")
    @listed("customers", _l("客户列表"), "users", "/console/customers", place=10)
    @needs("customers:read")
    def index(): ...

    @finder(_l("客户"), "customers:read")
    def find_customers(session, words): ...

Entries stand by group and place; whoever may not open a page does not see its entry. The group `settings` is one entry
with its pages as tabs.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from flask import request
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from bot.core.feature import Register
from bot.web.guard import View, allowed, permission_of

Words: TypeAlias = Any  # a string, or a lazy one that is translated when shown
GROUPS: dict[str, Words] = {
    "top": "",
    "customers": _l("客户"),
    "engage": _l("触达"),
    "growth": _l("增长"),
    "loyalty": _l("忠诚度"),
    "insight": _l("数据"),
    "settings": _l("设置"),
}
FOUND_PER_KIND = 5


@dataclass(frozen=True)
class Entry:
    """One page in the menu. `icon` is a name of icons.txt; `place` orders the entries of a group, smallest first."""

    group: str
    label: Words
    icon: str
    path: str
    place: int
    permission: str

    @property
    def here(self) -> bool:
        """Whether the page being shown is this one or lies below it."""
        return request.path == self.path or request.path.startswith(self.path + "/")


@dataclass(frozen=True)
class Found:
    """One answer of a finder."""

    label: str
    url: str
    icon: str
    note: str = ""


@dataclass(frozen=True)
class Finder:
    """Finds things of one kind; `find(session, words)` gives the best first, a handful at most."""

    label: Words
    permission: str
    find: Callable[[Session, str], list[Found]]


@dataclass(frozen=True)
class Sign:
    """One line at the foot of the side bar; tone is good, warn or bad."""

    tone: str
    text: str


entries: Register[Entry] = Register("menu")
finders: Register[Finder] = Register("finders")
signs: Register[Callable[[Session], Sign]] = Register("signs")


def listed(group: str, label: Words, icon: str, path: str, *, place: int) -> Callable[[View], View]:
    """Put a page into the menu; goes above `needs`, whose permission it takes. Raises KeyError for an unknown group."""

    def mark(view: View) -> View:
        permission = permission_of(view)
        assert permission is not None, f"{path} is listed before it names its permission"
        return entries.mark(view, Entry(group, label, icon, path, place, permission))

    GROUPS[group]
    return mark


def finder(label: Words, permission: str) -> Callable[[Callable[[Session, str], list[Found]]], Callable[..., object]]:
    """Let the find box (Ctrl K) ask a function."""
    return lambda find: finders.mark(find, Finder(label, permission, find))


def sign(tell: Callable[[Session], Sign]) -> Callable[[Session], Sign]:
    """Show what a function tells at the foot of the side bar: callback health, queue age."""
    return signs.mark(tell, tell)


def menu() -> list[tuple[str, Words, list[Entry]]]:
    """The caller's menu: groups in order with their entries, groups without any left out."""
    mine = sorted((entry for entry in entries if allowed(entry.permission)), key=lambda entry: entry.place)
    grouped = ((name, label, [entry for entry in mine if entry.group == name]) for name, label in GROUPS.items())
    return [(name, label, listed_) for name, label, listed_ in grouped if listed_]


def here(shown: Iterable[tuple[str, Words, list[Entry]]]) -> Entry | None:
    """The entry of the page being shown: the deepest path that leads to it."""
    leading = [entry for _, _, listed_ in shown for entry in listed_ if entry.here]
    return max(leading, key=lambda entry: len(entry.path), default=None)


def find(session: Session, words: str) -> list[tuple[Words, list[Found]]]:
    """What the caller may see that fits `words`, by kind; pages first."""
    pages = [
        Found(str(entry.label), entry.path, entry.icon)
        for _, _, listed_ in menu()
        for entry in listed_
        if words.casefold() in str(entry.label).casefold()
    ]
    kinds: list[tuple[Words, list[Found]]] = [(_l("页面"), pages)]
    if words:
        kinds += [(each.label, each.find(session, words)) for each in finders if allowed(each.permission)]
    return [(label, found[:FOUND_PER_KIND]) for label, found in kinds if found]
