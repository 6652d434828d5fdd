"""Why, and why not (C9): a question about a customer, answered by the feature that keeps the record, never guessed.

@why("tag")
def tag(session: Session, asked: Asked) -> Because: ...             # asked.id is what stands behind `tag:`

@asks(_l("标签"))
def tags(session: Session, customer_id: int) -> list[Question]: ...   # what her page offers to ask

An answer names the event that shows it; from that the causes are walked to their root: order posted → rule → tag →
segment → invitation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.errors import Unacceptable
from bot.core.events import EventRow
from bot.core.feature import Register
from bot.core.i18n import say
from bot.core.installation import installation_of
from bot.operators import called
from tags.people import service as people
from tags.timeline.service import entries

MOST_STEPS = 20  # causes of causes; rules that set off each other stop long before (T3)

Thing = TypeVar("Thing", bound=Callable[..., Any])


@dataclass(frozen=True)
class Asked:
    """About whom (a survivor), which one of the kind, and in which language (zh_CN, zh_TW, en)."""

    customer_id: int
    id: str
    lang: str

    @property
    def number(self) -> int:
        """The id of a row. Raises Unacceptable where it is none."""
        if not self.id.isdecimal() or len(self.id) > 18:
            raise Unacceptable.at("/about", f"expected the id of a row behind the colon, found {self.id or 'nothing'}")
        return int(self.id)


@dataclass(frozen=True)
class Because:
    """text: the answer in one sentence. reasons: what else the records say, a sentence each.

    event: the row that shows it, None where nothing was announced. address: of the console page about it.
    """

    text: str
    reasons: Sequence[str] = ()
    event: EventRow | None = None
    address: str = ""


@dataclass(frozen=True)
class Step:
    """One event on the way to the root, told. who: the name of who did it; address: of the page about what is named."""

    at: datetime
    event: str
    text: str
    why: str
    who: str
    address: str


@dataclass(frozen=True)
class Answer:
    """What is said to a question: chain begins with the event that shows it and ends at the root of its causes."""

    about: str
    text: str
    reasons: Sequence[str]
    address: str
    chain: Sequence[Step] = field(default=())


@dataclass(frozen=True)
class Question:
    """A question her page offers: about `tag:12`, called 「金卡」."""

    about: str
    called: str


Answerer = Callable[[Session, Asked], Because]
Asker = Callable[[Session, int], Sequence[Question]]
Trace = Callable[[Session, EventRow], EventRow | None]
answerers: Register[tuple[str, Answerer]] = Register("answers to why")
traced: Register[tuple[str, Trace]] = Register("causes of what jobs announce")
askers: Register[tuple[Any, Asker]] = Register("questions why")
pages: Register[tuple[str, str]] = Register("pages of what records name")


def why(kind: str) -> Callable[[Answerer], Answerer]:
    """Mark a function that answers questions about `kind:id`; it raises NotFound for an id that is nobody's."""
    return lambda function: answerers.mark(function, (kind, function))


def asks(label: Any) -> Callable[[Asker], Asker]:
    """Mark a function that says what her page offers to ask, under this label (a lazy string)."""
    return lambda function: askers.mark(function, (label, function))


def traces(event: str) -> Callable[[Trace], Trace]:
    """Mark a function that finds the cause of an event that names none: told by a job, from what it was noted under."""
    return lambda function: traced.mark(function, (event, function))


def page_of(kind: str, address: str) -> Callable[[Thing], Thing]:
    """Say where the console shows things of a kind: `page_of("rule", "/console/tags/rules/{}")`."""
    return lambda function: pages.mark(function, (kind, address))


def ask(session: Session, customer_id: int, about: str, lang: str) -> Answer:
    """Answer `about` (`tag:12`, `welcome`). Raises NotFound, Unacceptable (422) for what nobody answers."""
    hers = people.survivor(session, customer_id)
    kind, _, its_id = about.partition(":")
    answer = next((function for name, function in answerers if name == kind), None)
    if answer is None:
        kinds = ", ".join(sorted(name for name, _ in answerers))
        raise Unacceptable.at("/about", f"expected one of {kinds}, with an id behind a colon; found {about}")
    because = answer(session, Asked(hers, its_id, lang))
    chain = _told(session, causes(session, because.event), lang) if because.event is not None else ()
    return Answer(about, because.text, because.reasons, because.address, chain)


def last(
    session: Session, customer_id: int, *names: str, until: datetime | None = None, **facts: Any
) -> EventRow | None:
    """The newest event of these names, hers or of somebody merged into her, that says these facts.

    until: of those that happened by then (aware UTC).
    """
    query = select(EventRow).where(
        EventRow.customer_id.in_(people.family(session, customer_id)), EventRow.name.in_(names),
        EventRow.data.contains(facts),
    )  # fmt: skip
    query = query if until is None else query.where(EventRow.at <= until)
    return session.scalar(query.order_by(EventRow.at.desc(), EventRow.id.desc()).limit(1))


def causes(session: Session, row: EventRow) -> list[EventRow]:
    """The event, its cause, the cause of that, to the root."""
    found = [row]
    while len(found) < MOST_STEPS and (cause := _cause(session, found[-1])) is not None:
        found.append(cause)
    return found


def _cause(session: Session, row: EventRow) -> EventRow | None:
    if row.cause_id is not None:
        return session.scalar(select(EventRow).where(EventRow.id == row.cause_id))
    trace = next((function for name, function in traced if name == row.name), None)
    return trace(session, row) if trace is not None else None


def local(session: Session, at: datetime, form: str = "%Y-%m-%d") -> str:
    """A moment in the brand's zone (G2)."""
    return f"{at.astimezone(installation_of(session).settings.timezone):{form}}"


def source_words(session: Session, source: str, lang: str) -> str:
    """Who or what a record names as its source, in words; empty where nobody has words for it."""
    return called.names(session, {source}, lang).get(source, "")


def _told(session: Session, rows: Sequence[EventRow], lang: str) -> list[Step]:
    told = entries(session, rows, lang)
    actors = called.names(session, {row.actor for row in rows}, lang)
    return [
        Step(
            row.at, row.name, one.told.text, one.told.why, actors.get(row.actor, _machine(row.actor, lang)), _page(row)
        )
        for row, one in zip(rows, told, strict=True)
    ]


def _machine(actor: str, lang: str) -> str:
    """What does things without a name of its own."""
    kind = actor.partition(":")[0]
    return {
        "inbox": say(lang, "企业微信"), "job": say(lang, "后台任务"), "tick": say(lang, "定时任务"),
        "customer": say(lang, "她自己"),
    }.get(kind, "")  # fmt: skip


def _page(row: EventRow) -> str:
    things = [str(row.data.get("source", "")), *(f"{kind}:{row.data.get(f'{kind}_id')}" for kind, _ in pages)]
    known = dict(pages.entries)
    for thing in things:
        kind, _, its_id = thing.partition(":")
        if kind in known and its_id and its_id != "None":
            return known[kind].format(its_id)
    return ""
