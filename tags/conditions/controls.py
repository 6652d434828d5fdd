"""How a leaf stands in the condition builder: a sentence with controls, declared as data by the feature that owns it.

    shown = Shown(
        _l("标签"), TAGS,
        Sentence(_l("有 {tag} 已满 {for_days} 天"), Choice("tag", _l("标签"), tags), Figure("for_days", _l("天数"), optional=True)),
    )  # fmt: skip

A control's `name` is the place of its value in the leaf's JSON (`orders.within_days`); the sentence names it by the last
part. What is typed becomes JSON as it is, also where it is wrong: the tree's own check says so, in the API's words.
"""  # noqa: E501  # the declaration as it is written

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, NamedTuple, TypeAlias

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import Session

from tags.conditions.numbers import SIGNS

Words: TypeAlias = Any  # a string, or a lazy one that is translated when shown
Json: TypeAlias = dict[str, Any]
Sent: TypeAlias = Callable[[str], list[str]]  # a leaf's fields by name, as a form has them

FEW = 12  # options up to here are a plain list, more of them a list one searches
LISTED = 20  # of those at most

PROFILE, TAGS, BOUGHT, DID = _l("资料与来源"), _l("标签与客群"), _l("购买"), _l("做过什么")
LOYALTY, STANDING, OTHER = _l("积分与等级"), _l("RFM 与生命周期"), _l("其他")


class Option(NamedTuple):
    """What a choice may be. note: what it belongs to; letters: what else it is found by, such as pinyin initials."""

    value: str
    label: Words
    note: Words = ""
    letters: str = ""


Options: TypeAlias = Sequence[Option] | Callable[[Session], Sequence[Option]]


@dataclass
class Drawn:
    """A control as the template shows it. name: of its fields; value: by kind; inside: what the chosen way asks."""

    kind: str
    name: str
    label: Words
    optional: bool
    value: Any
    options: Sequence[Option] = ()
    find: str = ""
    more: int = 0
    inside: Sequence["Drawn"] = ()
    error: str = ""

    @property
    def called(self) -> Words:
        """The label of the option that is chosen."""
        return next((one.label for one in self.options if one.value == self.value), "")


@dataclass(frozen=True)
class Control:
    """A place of a sentence. label: read out. optional: may be empty, and is not in the JSON then."""

    name: str
    label: Words
    optional: bool = False
    kind: ClassVar[str]
    empty: ClassVar[Any] = ""

    def value(self, texts: list[str]) -> Any:
        """The JSON of what a form has, None for nothing."""
        return texts[0].strip() or None if texts else None

    def read(self, sent: Sent) -> Iterator[tuple[str, Any]]:
        """What stands at which place of the JSON."""
        value = self.value(sent(self.name))
        if value is not None or not self.optional:
            yield self.name, self.empty if value is None else value

    def draw(self, session: Session, leaf: Json, at: str, sent: Sent) -> Drawn:
        """As it is shown for `leaf`. at: what the names of its fields begin with."""
        return Drawn(self.kind, f"{at}.{self.name}", self.label, self.optional, self.shown(look_up(leaf, self.name)))

    def shown(self, value: Any) -> Any:
        """What the template gets; None for nothing."""
        return "" if value is None else str(value)

    def error(self, leaf: Json, faults: Mapping[str, str]) -> str:
        """What is wrong with it. faults: of the leaf, by pointer; the API's words, or ours where nothing stands yet."""
        found = next((words for at, words in faults.items() if self._at(at, self.name)), "")
        value = look_up(leaf, self.name)
        nothing = not any(value.values()) if isinstance(value, dict) else value in (None, "", [])
        return self.unfilled if found and nothing else found

    @staticmethod
    def _at(pointer: str, name: str) -> bool:
        place = "/" + name.replace(".", "/")
        return pointer == place or pointer.startswith(f"{place}/")

    @property
    def unfilled(self) -> str:
        """What is said where it is empty."""
        return str(_("请填写%(label)s", label=self.label))


@dataclass(frozen=True)
class Choice(Control):
    """One of some options, listed or searched for. made: the JSON of an option's value."""

    options: Options = ()
    made: Callable[[str], Any] = str
    kind: ClassVar[str] = "choice"

    def value(self, texts: list[str]) -> Any:
        return self.made(texts[0]) if texts and texts[0] else None

    def draw(self, session: Session, leaf: Json, at: str, sent: Sent) -> Drawn:
        drawn = super().draw(session, leaf, at, sent)
        every = _every(session, self.options)
        chosen = [one for one in every if one.value == drawn.value]
        if drawn.value and not chosen:
            chosen = [Option(drawn.value, drawn.value)]
            every = [*chosen, *every]
        drawn.options = every
        if len(every) > FEW:
            drawn.kind, drawn.find = "picker", " ".join(sent(f"{self.name}.find")).strip()
            found = [one for one in every if one not in chosen and _found(one, drawn.find)]
            drawn.options, drawn.more = [*chosen, *found[:LISTED]], max(0, len(found) - LISTED)
        return drawn

    @property
    def unfilled(self) -> str:
        return str(_("请选择%(label)s", label=self.label))


@dataclass(frozen=True)
class Several(Control):
    """Any number of a few options."""

    options: Options = ()
    made: Callable[[str], Any] = str
    kind: ClassVar[str] = "several"

    def value(self, texts: list[str]) -> Any:
        return [self.made(text) for text in texts if text] or None

    def shown(self, value: Any) -> Any:
        return [str(one) for one in value] if isinstance(value, list) else []

    def draw(self, session: Session, leaf: Json, at: str, sent: Sent) -> Drawn:
        drawn = super().draw(session, leaf, at, sent)
        drawn.options = _every(session, self.options)
        return drawn


@dataclass(frozen=True)
class Line(Control):
    """A line of text."""

    kind: ClassVar[str] = "text"


@dataclass(frozen=True)
class Text(Control):
    """Some lines of one text."""

    kind: ClassVar[str] = "area"


@dataclass(frozen=True)
class Kept(Control):
    """A list that the form only carries along: it was made elsewhere."""

    kind: ClassVar[str] = "kept"

    def value(self, texts: list[str]) -> Any:
        try:
            found = json.loads(texts[0]) if texts else None
        except ValueError:
            return None
        return found if isinstance(found, list) and found else None

    def shown(self, value: Any) -> Any:
        return value if isinstance(value, list) else []


@dataclass(frozen=True)
class Lines(Control):
    """Some lines of text, of which one holds."""

    kind: ClassVar[str] = "texts"
    empty: ClassVar[Any] = []

    def value(self, texts: list[str]) -> Any:
        return [text for text in map(str.strip, texts) if text] or None

    def shown(self, value: Any) -> Any:
        return [str(one) for one in value] if isinstance(value, list) else []


@dataclass(frozen=True)
class Figure(Control):
    """A number, of days for one."""

    kind: ClassVar[str] = "number"

    def value(self, texts: list[str]) -> Any:
        return _number(texts[0], 1) if texts and texts[0].strip() else None


@dataclass(frozen=True)
class Comparison(Control):
    """A number compared: a sign and a number, more pairs where the tree has them. times: 100 shows fen as yuan."""

    times: int = 1
    kind: ClassVar[str] = "compare"
    empty: ClassVar[Any] = {}

    def read(self, sent: Sent) -> Iterator[tuple[str, Any]]:
        pairs = zip(sent(f"{self.name}.sign"), sent(f"{self.name}.number"), strict=False)
        value = {sign: _number(number, self.times) for sign, number in pairs if sign}
        if value or not self.optional:
            yield self.name, value

    def shown(self, value: Any) -> Any:
        bounds = value.items() if isinstance(value, dict) else ()
        default = "" if self.optional else "gte"
        return [(sign, _typed(number, self.times)) for sign, number in bounds] or [(default, "")]

    def draw(self, session: Session, leaf: Json, at: str, sent: Sent) -> Drawn:
        drawn = super().draw(session, leaf, at, sent)
        drawn.options = [Option(sign, shown) for sign, shown in SIGNS.items()]
        return drawn


@dataclass(frozen=True)
class Fixed(Control):
    """Nothing to fill in: the way itself says it."""

    says: Any = True
    kind: ClassVar[str] = "fixed"

    def read(self, sent: Sent) -> Iterator[tuple[str, Any]]:
        yield self.name, self.says


@dataclass(frozen=True)
class Way:
    """One of the ways a thing may be asked. control: what it asks for."""

    name: str
    label: Words
    control: Control

    def taken(self, leaf: Json) -> bool:
        """Whether the JSON asks in this way."""
        value = look_up(leaf, self.control.name)
        return value is not None and (not isinstance(self.control, Fixed) or value == self.control.says)


@dataclass(frozen=True)
class Ways(Control):
    """One of several ways to ask, each with a control of its own. name: of the field that says which."""

    ways: Sequence[Way] = ()
    kind: ClassVar[str] = "ways"

    def read(self, sent: Sent) -> Iterator[tuple[str, Any]]:
        named = "".join(sent(self.name)[:1])
        yield from next((one for one in self.ways if one.name == named), self.ways[0]).control.read(sent)

    def error(self, leaf: Json, faults: Mapping[str, str]) -> str:
        return next(filter(None, (one.control.error(leaf, faults) for one in self.ways)), "")

    def draw(self, session: Session, leaf: Json, at: str, sent: Sent) -> Drawn:
        way = next((one for one in self.ways if one.taken(leaf)), self.ways[0])
        options = [Option(one.name, one.label) for one in self.ways]
        inside = [] if isinstance(way.control, Fixed) else [way.control.draw(session, leaf, at, sent)]
        return Drawn(self.kind, f"{at}.{self.name}", self.label, False, way.name, options, inside=inside)


@dataclass(frozen=True)
class Pairs(Control):
    """What fields of something say: pairs of a field and its value. fields: their labels, and the JSON of a value.

    A field that nobody gave a label, so that it is called by its name, is for machines: offered only where it is asked.
    """

    fields: Mapping[str, tuple[Words, Callable[[str], Any]]] = field(default_factory=dict)
    kind: ClassVar[str] = "said"

    def read(self, sent: Sent) -> Iterator[tuple[str, Any]]:
        pairs = zip(sent(f"{self.name}.field"), sent(f"{self.name}.value"), strict=False)
        value = {named: self.fields[named][1](typed.strip()) for named, typed in pairs if named in self.fields}
        if value or not self.optional:
            yield self.name, value

    def shown(self, value: Any) -> Any:
        pairs = value.items() if isinstance(value, dict) else ()
        return [(named, str(said).lower() if isinstance(said, bool) else str(said)) for named, said in pairs]

    def draw(self, session: Session, leaf: Json, at: str, sent: Sent) -> Drawn:
        drawn = super().draw(session, leaf, at, sent)
        asked = [named for named, _said in drawn.value]
        drawn.options = [
            Option(named, label) for named, (label, _made) in self.fields.items() if label != named or named in asked
        ]
        return drawn


class Sentence:
    """Words with places for controls: `有 {tag} 已满 {for_days} 天`."""

    def __init__(self, words: Words, *controls: Control) -> None:
        self.words, self.controls = words, controls

    def parts(self) -> Iterator[str | Control]:
        """The words between the controls, and the controls, in the order of the language being spoken."""
        by_slot = {one.name.rpartition(".")[2]: one for one in self.controls}
        for text in re.split(r"(\{\w+\})", str(self.words)):
            if text.strip():
                yield by_slot[text[1:-1]] if text.startswith("{") else text.strip()


@dataclass(frozen=True)
class Shown:
    """A leaf in the builder. label, group: in the list of leaves. start: the JSON it begins with, unfilled if empty.

    sentence: of every such leaf, or a function `(session, get)` where it depends on what is chosen; get(name): that.
    """

    label: Words
    group: Words
    sentence: Sentence | Callable[[Session, Callable[[str], str]], Sentence]
    start: Json = field(default_factory=dict)

    def said(self, session: Session, get: Callable[[str], str]) -> Sentence:
        """The sentence for what is chosen."""
        return self.sentence if isinstance(self.sentence, Sentence) else self.sentence(session, get)


def look_up(leaf: Json, name: str) -> Any:
    """What stands at a place of a leaf's JSON, None where nothing does."""
    value: Any = leaf
    for part in name.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def put(leaf: Json, name: str, value: Any) -> None:
    """Set a place of a leaf's JSON."""
    *above, last = name.split(".")
    for part in above:
        leaf = leaf.setdefault(part, {})
    leaf[last] = value


def whole_or_word(text: str) -> Any:
    """The JSON of a whole number, or of the word it is instead."""
    return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text


def flag_or_word(text: str) -> Any:
    """The JSON of true or false, or of the word it is instead."""
    return {"true": True, "false": False}.get(text, text)


def _every(session: Session, options: Options) -> Sequence[Option]:
    return options(session) if callable(options) else options


def _found(option: Option, words: str) -> bool:
    return words.lower() in f"{option.label} {option.letters}".lower()


def _number(text: str, times: int) -> Any:
    """What was typed, as a number where it is one: 1,000 and, times 100, 100.5."""
    typed = text.strip().replace(",", "").replace("，", "").replace("−", "-")
    try:
        value = Decimal(typed) * times
    except InvalidOperation:
        return typed
    if not value.is_finite() or abs(value) >= Decimal(10) ** 18:
        return typed
    if value == value.to_integral_value():
        return int(value)
    return float(value) if times == 1 else typed


def _typed(value: Any, times: int) -> str:
    if times == 1 or not isinstance(value, int) or isinstance(value, bool):
        return str(value)
    return f"{Decimal(value) / times:f}"
