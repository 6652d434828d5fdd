"""What features put on the pages of customers: cards and tabs of one, facets of the list.

@panel("right", place=10)
def points(session: Session, customer: CustomerAnswer) -> str | None: ...      # HTML of a card, None for nothing

@tab("orders", _l("订单"), place=20)
def orders(session: Session, customer: CustomerAnswer) -> str: ...             # HTML of the tab's body

@stat(place=10)
def balance(session: Session, customer: CustomerAnswer) -> list[Number]: ...           # of the strip under her name

@offers("tag", _l("标签"))
def tags(session: Session) -> list[Choice]: ...                  # what the filter `tag` (see finding.py) may be
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, TypeVar

from sqlalchemy.orm import Session

from bot.core.feature import Register
from tags.people.cards import CustomerAnswer

Side = Literal["left", "right"]
Draw = Callable[[Session, CustomerAnswer], str | None]
Choice: TypeAlias = tuple[str, str, int | None]  # value, label, how many
Number: TypeAlias = tuple[str, str, str]  # name, value, note
Thing = TypeVar("Thing", bound=Callable[..., Any])


@dataclass(frozen=True)
class Panel:
    """A card on one side of her page; smaller places stand higher."""

    side: Side
    place: int
    draw: Draw


@dataclass(frozen=True)
class Tab:
    """A tab in the middle of her page; `name` is its address, `label` a lazy string."""

    name: str
    label: Any
    place: int
    draw: Draw


@dataclass(frozen=True)
class Offer:
    """A filter of the list with what it may be."""

    name: str
    label: Any
    choices: Callable[[Session], list[Choice]]


@dataclass(frozen=True)
class View:
    """A tab over the list: its filters, and how many they find."""

    label: str
    wanted: dict[str, str]
    count: int


panels: Register[Panel] = Register("panels")
tabs: Register[Tab] = Register("tabs")
stats: Register[tuple[int, Callable[[Session, CustomerAnswer], list[Number]]]] = Register("stats")
offered: Register[Offer] = Register("offers")
remarks: Register[Callable[[Session], str]] = Register("remarks over the list")
savers: Register[Callable[[Session], list[View]]] = Register("saved views")


def panel(side: Side, *, place: int) -> Callable[[Thing], Thing]:
    """Mark a function that draws a card."""
    return lambda function: panels.mark(function, Panel(side, place, function))


def tab(name: str, label: Any, *, place: int) -> Callable[[Thing], Thing]:
    """Mark a function that draws a tab's body."""
    return lambda function: tabs.mark(function, Tab(name, label, place, function))


def numbers(*, place: int) -> Callable[[Thing], Thing]:
    """Mark a function that gives numbers of the strip under her name."""
    return lambda function: stats.mark(function, (place, function))


def remark(function: Thing) -> Thing:
    """Mark a function `(session)` that says something of all customers, over the list; "" says nothing."""
    return remarks.mark(function, function)


def offers(name: str, label: Any) -> Callable[[Thing], Thing]:
    """Mark a function that lists what the filter `name` may be."""
    return lambda function: offered.mark(function, Offer(name, label, function))


def saves(function: Thing) -> Thing:
    """Mark a function that gives saved views of the list."""
    return savers.mark(function, function)


def shown_views(session: Session, wanted: Mapping[str, str]) -> list[tuple[View, bool]]:
    """The saved views, and whether the list shows each."""
    return [(view, view.wanted == dict(wanted)) for give in savers for view in give(session)]


def strip(session: Session, customer: CustomerAnswer) -> list[Number]:
    """All numbers under her name, smaller places first."""
    return [one for _, give in sorted(stats, key=lambda each: each[0]) for one in give(session, customer)]


def drawn(session: Session, customer: CustomerAnswer, side: Side) -> Iterable[str]:
    """The cards of one side, top down."""
    for one in sorted((each for each in panels if each.side == side), key=lambda each: each.place):
        html = one.draw(session, customer)
        if html:
            yield html
