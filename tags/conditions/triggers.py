"""When: what has to happen for a rule or a journey to look at a customer (T3).

The feature that owns an event says what may be asked of it:

    @trigger(OrderPaid, lambda lang: say(lang, "下单"))
    class Paid(Trigger):
        total_fen: Annotated[Compare | None, Number("total_fen", lambda lang: say(lang, "金额"), divide_by=100)] = None

A filter is asked in three ways that agree: of an event that is being announced (`takes`), of the rows of those that
were (`sql`), and of one that a rule's action would cause, of which only some fields are known (`meets`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypeVar

from pydantic import ValidationError
from sqlalchemy import BigInteger, ColumnElement, Select, and_, cast, select
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.events import Event, EventRow
from bot.core.feature import Register
from bot.core.i18n import say
from bot.operators import called
from bot.web.api import Body
from bot.web.problems import of_validation
from tags.conditions.controls import Choice as Picked
from tags.conditions.controls import Comparison, Control, Option, Several
from tags.conditions.numbers import Compare

Said = Callable[[str], str]  # words in a language: zh_CN, zh_TW or en
Row = type[EventRow]
Times = Select[Any, Any]  # whose, when
Choice = tuple[str, str, str]  # value, label, group ("" where there are none)
Choices = Callable[[Session, str], Sequence[Choice]]


@dataclass(frozen=True)
class Effect:
    """An event that an action may cause, and what is known of its fields.

    undone_by: the event that has to happen, with the same fields, before this one can happen again.
    """

    event: str
    known: tuple[tuple[str, Any], ...] = ()
    undone_by: str | None = None

    @property
    def undone(self) -> "Effect | None":
        """What undoes it."""
        return Effect(self.undone_by, self.known, self.event) if self.undone_by else None

    @property
    def said(self) -> dict[str, Any]:
        return dict(self.known)


@dataclass(frozen=True)
class Past:
    """Since when history is asked, and until when (`now`); aware UTC."""

    session: Session
    since: datetime
    now: datetime


class Filter:
    """How a field of a trigger narrows its events. said: the event's own field that it asks."""

    def __init__(self, said: str, label: Said) -> None:
        self.said, self.label = said, label

    def fault(self, session: Session, value: Any) -> str | None:
        """What is wrong with a value that has the right form."""
        return None

    def takes(self, session: Session, value: Any, event: Event) -> bool:
        """Whether an event that is being announced passes."""
        return self.passes(value, getattr(event, self.said))

    def passes(self, value: Any, found: Any) -> bool:
        """Whether what the event's field says passes."""
        raise NotImplementedError

    def sql(self, value: Any, row: Row) -> ColumnElement[bool]:
        """The same as SQL over rows of events."""
        raise NotImplementedError

    def words(self, session: Session, value: Any, lang: str) -> str:
        """What a person reads."""
        raise NotImplementedError

    def controls(self, session: Session, name: str, lang: str, *, needed: bool, many: bool) -> list[Control]:
        """How a form asks for it. name: of its field; needed: it may not be left out; many: it is a list."""
        raise NotImplementedError


class OneOf(Filter):
    """A list of values, one of which the field has. thing: the kind by which `called` names them, and `chooses` lists
    what there is; made: the JSON of a value that is no text."""

    def __init__(self, said: str, label: Said, thing: str, *, made: Callable[[str], Any] = str) -> None:
        super().__init__(said, label)
        self.thing, self.made = thing, made

    def passes(self, value: Any, found: Any) -> bool:
        return str(found) in self.listed(value)

    def sql(self, value: Any, row: Row) -> ColumnElement[bool]:
        found: ColumnElement[str] = row.data[self.said].astext
        return found.in_(self.listed(value))

    def words(self, session: Session, value: Any, lang: str) -> str:
        listed = self.listed(value)
        names = self.names(session, listed, lang)
        named = say(lang, "、").join(names.get(one, one) for one in listed)
        return say(lang, "%(label)s是%(names)s", label=self.label(lang), names=named)

    def names(self, session: Session, values: Sequence[str], lang: str) -> Mapping[str, str]:
        """What the values are called."""
        found = called.names(session, [f"{self.thing}:{one}" for one in values], lang)
        named = {key.partition(":")[2]: words for key, words in found.items()}
        return named or {value: label for value, label, _ in choices(session, self.thing, lang)}

    def controls(self, session: Session, name: str, lang: str, *, needed: bool, many: bool) -> list[Control]:
        options = [Option(value, label, group) for value, label, group in choices(session, self.thing, lang)]
        if many:
            return [Several(name, self.label(lang), not needed, options, self.made)]
        return [Picked(name, self.label(lang), not needed, options, self.made)]

    @staticmethod
    def listed(value: Any) -> list[str]:
        """The values, one or many, as text."""
        return [str(one) for one in (value if isinstance(value, list) else [value])]


class Number(Filter):
    """A number that compares. divide_by: 100 shows fen as yuan; unit: of the words."""

    def __init__(self, said: str, label: Said, *, divide_by: int = 1) -> None:
        super().__init__(said, label)
        self.divide_by = divide_by

    def passes(self, value: Compare, found: Any) -> bool:
        return value.so(found)

    def sql(self, value: Compare, row: Row) -> ColumnElement[bool]:
        return value.of(cast(row.data[self.said].astext, BigInteger))

    def words(self, session: Session, value: Compare, lang: str) -> str:
        number = value.words(self.divide_by)
        if self.divide_by > 1:
            return say(lang, "%(label)s %(number)s 元", label=self.label(lang), number=number)
        return say(lang, "%(label)s %(number)s", label=self.label(lang), number=number)

    def controls(self, session: Session, name: str, lang: str, *, needed: bool, many: bool) -> list[Control]:
        label = self.label(lang) if self.divide_by == 1 else say(lang, "%(label)s（元）", label=self.label(lang))
        return [Comparison(name, label, not needed, self.divide_by)]


class Trigger(Body):
    """`when` of a rule: an event by the contract's name, and filters all of which pass."""

    about: ClassVar[type[Event]]
    label: ClassVar[Said]

    event: str

    def faults(self, session: Session) -> Iterator[Fault]:
        """What the fields alone don't tell: ids nobody has. Pointers are relative to `when`."""
        for name, value, filter_ in self.asked():
            if (wrong := filter_.fault(session, value)) is not None:
                yield Fault(f"/{name}", wrong)

    def takes(self, session: Session, event: Any) -> bool:
        """Whether it is this that happens."""
        return all(filter_.takes(session, value, event) for _, value, filter_ in self.asked())

    def past(self, past: Past) -> Times:
        """(customer_id, at) of each time it happened since then, to whomever she was then."""
        row = aliased(EventRow)
        so = [filter_.sql(value, row) for _, value, filter_ in self.asked()]
        hers = row.name == self.event, row.at > past.since, row.customer_id.is_not(None)
        return select(row.customer_id.label("customer_id"), row.at.label("at")).where(and_(*hers, *so))

    def meets(self, effect: Effect) -> bool:
        """Whether an event an action causes may be this; what is not known of it may be anything."""
        said = effect.said
        return effect.event == self.event and all(
            filter_.passes(value, said[filter_.said]) for _, value, filter_ in self.asked() if filter_.said in said
        )

    def names(self) -> Iterator[tuple[str, str]]:
        """What it names by id, as (`tag`, `12`): in use, and not to be deleted unawares."""
        for _, value, filter_ in self.asked():
            if isinstance(filter_, OneOf):
                yield from ((filter_.thing, one) for one in filter_.listed(value))

    def words(self, session: Session, lang: str) -> str:
        """The sentence a person reads, in `lang` (zh_CN, zh_TW, en)."""
        said = [filter_.words(session, value, lang) for _, value, filter_ in self.asked()]
        return say(lang, "，").join([type(self).label(lang), *said])

    def clause(self, session: Session, lang: str) -> str:
        """The first clause of a rule's sentence."""
        return say(lang, "当她%(event)s，", event=self.words(session, lang))

    def json(self) -> dict[str, Any]:  # type: ignore[override]  # pydantic's own is its version 1's
        """The trigger as it was given."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def asked(self) -> list[tuple[str, Any, Filter]]:
        """The filters that were set: field, value, filter."""
        values = ((name, getattr(self, name), filter_) for name, filter_ in self.filters().items())
        return [(name, value, filter_) for name, value, filter_ in values if value is not None]

    @classmethod
    def controls(cls, session: Session, lang: str) -> list[Control]:
        """How a form asks for its filters."""
        made: list[Control] = []
        for name, filter_ in cls.filters().items():
            field = cls.model_fields[name]
            many = "list[" in str(field.annotation)
            made += filter_.controls(session, name, lang, needed=field.is_required(), many=many)
        return made

    @classmethod
    def filters(cls) -> dict[str, Filter]:
        """What may be asked, by field."""
        found = {
            name: next((one for one in field.metadata if isinstance(one, Filter)), None)
            for name, field in cls.model_fields.items()
        }
        return {name: filter_ for name, filter_ in found.items() if filter_ is not None}


Follow = Callable[[Session, Effect], Iterable[Effect]]
Class = TypeVar("Class", bound=type[Trigger])
triggers: Register[type[Trigger]] = Register("triggers")
choosers: Register[tuple[str, Choices]] = Register("choices of filters")
followers: Register[Follow] = Register("what follows from events")


def trigger(kind: type[Event], label: Said) -> Callable[[Class], Class]:
    """Mark a class as what rules may wait for. label: what the event is called."""

    def mark(made: Class) -> Class:
        made.about, made.label = kind, staticmethod(label)
        return triggers.mark(made, made)

    return mark


def chooses(thing: str) -> Callable[[Choices], Choices]:
    """Mark a function `(session, lang)` that lists what a filter over things of a kind may be set to."""
    return lambda function: choosers.mark(function, (thing, function))


def follows(function: Follow) -> Follow:
    """Mark a function `(session, effect)` that says which events may follow from one by themselves."""
    return followers.mark(function, function)


def all_effects(session: Session, caused: Iterable[Effect]) -> list[Effect]:
    """What actions cause, and all that follows from it."""
    found = dict.fromkeys(caused)
    waiting = list(found)
    while waiting:
        effect = waiting.pop()
        new = [one for follow in followers for one in follow(session, effect) if one not in found]
        found |= dict.fromkeys(new)
        waiting += new
    return list(found)


def choices(session: Session, thing: str, lang: str) -> Sequence[Choice]:
    """What a filter over things of a kind may be set to."""
    return next((list_(session, lang) for name, list_ in choosers if name == thing), ())


def kinds() -> Mapping[str, type[Trigger]]:
    """Triggers by the name of their event."""
    return {one.about.name: one for one in triggers}


def parse(session: Session, data: Any, at: str, *, whole: bool = True) -> tuple[Trigger | None, list[Fault]]:
    """The trigger that `data` (parsed JSON) means, or None and what is wrong with it. at: its pointer (`/when`).

    whole: also that what it names is there.
    """
    known = kinds()
    event = str(data.get("event", "")) if isinstance(data, dict) else ""
    if event not in known:
        found = f"; found {event[:100]}" if event else ""
        return None, [Fault(f"{at}/event", f"expected one of {', '.join(known)}{found}")]
    try:
        made = known[event].model_validate(data)
    except ValidationError as error:
        return None, [one.under(at) for one in of_validation(error, data).faults]
    faults = [one.under(at) for one in made.faults(session)] if whole else []
    return (None if faults else made), faults
