"""A rule on a page: read from a form, changed by its buttons, checked, and laid out for the template.

Fields: `name`, `enabled`; `when.which` is the event and beside it stand its filters (`when.staff`); the condition's
fields begin with `if` (tags.conditions.draft); `then.0.which` is the first action. Buttons are those of the condition,
`op=act` (an action more) and `op=unact.1`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from bot.core.errors import Fault, Problem
from bot.web.language import spoken
from tags.autotag import reading, records, service
from tags.autotag.reading import Draft, Read
from tags.conditions import actions, triggers
from tags.conditions.controls import Control, Drawn, Json, Option, Sent, put
from tags.conditions.draft import Draft as Tree

Kinds = Mapping[str, Any]  # triggers by event, actions by key: both have a label and controls


@dataclass
class Clause:
    """An event or an action as the template shows it: which, of what there is, and its controls."""

    name: str
    kind: str
    options: Sequence[Option]
    controls: Sequence[Drawn]
    error: str = ""

    @property
    def wrong(self) -> bool:
        """Whether something in it is marked."""
        return bool(self.error) or any(one.error for one in self.controls)


@dataclass
class Editor:
    """A rule being edited. json: under the API's names, wrong where it is; form: what was sent, for searched lists."""

    session: Session
    json: Json
    form: MultiDict[str, Any] = field(default_factory=MultiDict)

    def __post_init__(self) -> None:
        _made, faults = triggers.parse(self.session, self.json["when"], "")
        event = self.json["when"].get("event", "")
        self.when = self._clause("when", event, triggers.kinds(), self.json["when"], faults)
        self.tree = Tree(self.session, self.json["if"] or {}, "if", "/if", self.form)
        self.then = [self._action(n, one) for n, one in enumerate(self.json["then"])]

    @classmethod
    def sent(cls, session: Session, form: MultiDict[str, Any]) -> "Editor":
        """What a form says, once the button it was sent by has done its work."""
        verb, _dot, place = str(form.get("op", "")).partition(".")
        when = _read(session, form, "when", triggers.kinds(), "event")
        begun = sorted({int(key.split(".")[1]) for key in form if key.startswith("then.") and _step(key)})
        then = [_read(session, form, f"then.{n}", actions.kinds()) for n in begun]
        if verb == "act":
            then.append({})
        if verb == "unact" and place.isdecimal() and int(place) < len(then):
            del then[int(place)]
        tree = Tree.sent(session, form, name="if", at="/if").json
        inside = next(iter(tree.values()))
        json = {"name": str(form.get("name", "")).strip(), "when": when, "if": tree if inside else None, "then": then}
        return cls(session, {**json, "enabled": "enabled" in form}, form)

    @property
    def draft(self) -> Draft:
        """The rule as the service takes it."""
        return Draft(self.json["name"], self.json["when"], self.json["if"], self.json["then"], self.json["enabled"])

    @property
    def read(self) -> Read | None:
        """The rule read, None while something is missing or wrong."""
        try:
            read = reading.checked(self.session, self.draft)
            service.check_alone(self.session, read)
        except Problem:
            return None
        return read

    @property
    def sentence(self) -> tuple[str, str, str] | None:
        """It in words, None while it is none."""
        read = self.read
        return records.said(self.session, read, spoken()) if read is not None else None

    def _action(self, n: int, data: Json) -> Clause:
        kinds = actions.kinds()
        kind = next((key for key in data if key in kinds), "")
        _made, faults = actions.parse(self.session, [data], "") if kind else ([], [])
        inside = [replace(one, pointer=one.pointer.removeprefix("/0")) for one in faults]
        return self._clause(f"then.{n}", kind, kinds, data, inside)

    def _clause(self, name: str, kind: str, kinds: Kinds, data: Json, faults: Sequence[Fault]) -> Clause:
        lang = spoken()
        options = [Option(key, one.label(lang)) for key, one in kinds.items()]
        if kind not in kinds:
            return Clause(name, "", options, (), "")
        found, told = {one.pointer: one.said for one in faults}, set()
        drawn: list[Drawn] = []
        for control in kinds[kind].controls(self.session, lang):
            shown = control.draw(self.session, data, name, _fields(self.form, name))
            shown.error = control.error(data, found)
            told.add(shown.error)
            drawn.append(shown)
        rest = "" if told - {""} else next(iter(found.values()), "")
        return Clause(name, kind, options, drawn, rest)


def blank() -> Json:
    """A rule of which nothing is said yet."""
    return {"name": "", "when": {"event": ""}, "if": None, "then": [{}], "enabled": True}


def missing(editor: Editor) -> str:
    """What is said where a rule can't be saved, beside what stands at its places."""
    if not editor.when.kind:
        return str(_("先选「当」什么发生"))
    if not editor.then or not all(one.kind for one in editor.then):
        return str(_("选好「就」做什么"))
    if any(one.wrong for one in (editor.when, *editor.then)):
        return str(_("有地方没填好，红字写着怎么改"))
    return editor.tree.unfilled if editor.json["if"] else ""


def _read(session: Session, form: MultiDict[str, Any], begin: str, kinds: Kinds, named: str = "") -> Json:
    """A clause's fields as JSON. named: the member that holds the kind, where the kind is no member itself."""
    kind = str(form.get(f"{begin}.which", ""))
    made: Json = {named: kind} if named else {}
    if kind not in kinds:
        return made
    if form.get(f"{begin}.was") != kind:  # chosen just now: the other one's fields say nothing about it
        return made or {kind: ""}
    controls: Sequence[Control] = kinds[kind].controls(session, spoken())
    for control in controls:
        for place, value in control.read(_fields(form, begin)):
            put(made, place, value)
    return made


def _fields(form: MultiDict[str, Any], begin: str) -> Sent:
    return lambda name: [str(one) for one in form.getlist(f"{begin}.{name}")]


def _step(key: str) -> bool:
    _first, _dot, rest = key.partition(".")
    return rest.partition(".")[0].isdecimal()
