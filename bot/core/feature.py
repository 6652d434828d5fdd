"""How features plug in: a lower room owns a `Register`, a decorator marks a function for it, `load` fills it.

Importing a module changes nothing. `bot/app/features.py` lists the features bottom to top; `load` walks that list once
and adds what each feature's modules have marked, in the order of the list and of the lines, so that wiring is a list
one can read. An outside package is one more `Feature` (I3).
"""

import importlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Generic, TypeVar

from werkzeug.local import LocalProxy

Entry = TypeVar("Entry")
Thing = TypeVar("Thing")


class Register(Generic[Entry]):
    """What features have plugged into one room, in loading order."""

    known: ClassVar[list["Register[Any]"]] = []

    def __init__(self, name: str) -> None:
        self.name = name
        self.entries: list[Entry] = []
        self.known.append(self)

    def __iter__(self) -> Iterator[Entry]:
        return iter(self.entries)

    def mark(self, thing: Thing, entry: Entry, home: str | None = None) -> Thing:
        """Note on `thing` (a function, a class, a blueprint) that `entry` joins this register when it is loaded.

        home: the module that owns it; what another module merely imports is not added twice.
        """
        plug = _Plug(self, entry, home or str(vars(thing).get("__module__") or getattr(thing, "__module__", "")))
        thing.__plugs__ = (*vars(thing).get("__plugs__", ()), plug)  # type: ignore[attr-defined]
        return thing


@dataclass(frozen=True)
class _Plug:
    register: Register[Any]
    entry: Any
    home: str


@dataclass(frozen=True)
class Feature:
    """One folder: its name and the modules that plug in, in reading order. `package` holds its templates and models."""

    name: str
    package: str
    plugs: tuple[ModuleType, ...]


def feature(package: str, *plugs: ModuleType) -> Feature:
    """A feature named after the last part of its `package` (`handlers.points`)."""
    return Feature(package.rpartition(".")[2], package, plugs)


loaded: list[Feature] = []


def load(packages: Iterable[str]) -> list[Feature]:
    """Fill every register from the features of `packages` (`handlers.points`), in order; a second call starts anew."""
    for register in Register.known:
        register.entries.clear()
    loaded[:] = [importlib.import_module(f"{package}.feature").feature for package in packages]
    for each in loaded:
        for module in each.plugs:
            for thing in vars(module).values():
                if isinstance(thing, LocalProxy):
                    continue  # `request`, `g`: they stand for nothing while nobody asks
                for plug in getattr(thing, "__dict__", {}).get("__plugs__", ()):
                    if plug.home == module.__name__:
                        plug.register.entries.append(plug.entry)
    return loaded


def named(function: Callable[..., Any]) -> str:
    """The name by which rows keep a function: `points.expire` for `expire` in `handlers/points/jobs.py`."""
    return f"{function.__module__.split('.')[-2]}.{function.__name__}"
