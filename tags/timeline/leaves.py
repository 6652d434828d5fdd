"""What conditions ask of events: how often one happened, and what the last one said (T4)."""

import dataclasses
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated

from pydantic import Field
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.events import Event, EventRow
from bot.core.i18n import say
from bot.web.api import Flag, Whole
from tags.conditions.numbers import Compare, Days
from tags.conditions.tree import Asked, Leaf, leaf
from tags.people.finding import totalled
from tags.people.models import Customer
from tags.people.service import family_of, owner_of
from tags.timeline.service import Called, askable

Said = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=200)] | Whole | Flag],
    Field(min_length=1, max_length=5, description="fields of the event and their values; ids as the API writes them"),
]


class AboutEvent(Leaf):
    """What both leaves check and say. The key of each holds the event's name."""

    where: Said | None = None
    within_days: Days | None = None

    def faults(self, session: Session) -> Iterator[Fault]:
        """An event that can't be asked for, a field it does not have."""
        if self._name not in {kind.name for kind, _ in askable}:
            names = ", ".join(kind.name for kind, _ in askable)
            yield Fault(f"/{self.key}", f"expected one of {names}; found {self._name}")
            return
        for field in self.where or ():
            if field not in self._fields:
                expected = ", ".join(self._fields)
                yield Fault(f"/where/{field}", f"{self._name} has no field {field}, expected one of {expected}")

    @property
    def _name(self) -> str:
        return str(getattr(self, self.key))

    @property
    def _event(self) -> tuple[type[Event], Called]:
        return next(one for one in askable if one[0].name == self._name)

    @property
    def _fields(self) -> dict[str, bool]:
        """The fields of the event, and whether each is a whole number inside: ids are strings outside."""
        found = dataclasses.fields(self._event[0])
        return {field.name: field.type in (int, "int") for field in found if field.name != "customer_id"}

    def aged(self, asked: Asked, since: datetime) -> Select[int] | None:
        """As every leaf's."""
        if self.within_days is None:
            return None
        row, whose, span = aliased(EventRow), aliased(Customer), timedelta(days=self.within_days)
        hers = select(owner_of(whose)).join(row, row.customer_id == whose.id).where(row.name == self._name)
        return hers.where(row.at > since - span, row.at <= asked.now - span)

    def narrowed(self) -> Mapping[str, str]:
        """As every leaf's."""
        return {"events": self._name}

    def _so(self, row: type[EventRow]) -> list[ColumnElement[bool]]:
        if self.where is None:
            return []
        whole = self._fields
        values = {
            name: int(value) if whole[name] and isinstance(value, str) and value.isdigit() else value
            for name, value in self.where.items()
        }
        return [row.data.contains(values)]

    def _called(self, lang: str) -> str:
        return self._event[1](lang)

    def _where_words(self) -> str:
        said = "、".join(f"{name} = {value}" for name, value in (self.where or {}).items())
        return f"（{said}）" if said else ""


@leaf
class EventLeaf(AboutEvent, key="event"):
    """It happened with her, at least once where `count` says nothing else, within_days, with these fields."""

    event: str
    count: Compare | None = None

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        row = aliased(EventRow)
        wanted = [row.customer_id.in_(family_of(asked.who)), row.name == self.event, *self._so(row)]
        if self.within_days is not None:
            wanted.append(row.at > asked.now - timedelta(days=self.within_days))
        found = select((self.count or Compare(gte=1)).of(func.count())).where(*wanted)
        return found.correlate(asked.who.table).scalar_subquery()

    def found(self, asked: Asked) -> Select[int]:
        """As every leaf's."""
        row, whose = aliased(EventRow), aliased(Customer)
        wanted = [row.name == self.event, *self._so(row)]
        if self.within_days is not None:
            wanted.append(row.at > asked.now - timedelta(days=self.within_days))
        totals = select(owner_of(whose), func.count()).join(row, row.customer_id == whose.id).where(*wanted)
        return totalled(totals.group_by(owner_of(whose)), self.count or Compare(gte=1))

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        said = say(lang, "有过「%(event)s」", event=self._called(lang)) + self._where_words()
        if self.within_days is not None:
            said = say(lang, "近 %(days)s 天%(said)s", days=self.within_days, said=said)
        return say(lang, "%(said)s %(times)s 次", said=said, times=self.count.words()) if self.count else said


@leaf
class LastEventLeaf(AboutEvent, key="last_event"):
    """The last one that happened with her says this, and lies within_days where that is asked."""

    last_event: str
    where: Said

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        row = aliased(EventRow)
        so = self._so(row)
        if self.within_days is not None:
            so.append(row.at > asked.now - timedelta(days=self.within_days))
        hers = row.customer_id.in_(family_of(asked.who)), row.name == self.last_event
        last = select(and_(*so)).where(*hers).order_by(row.at.desc(), row.id.desc()).limit(1)
        return func.coalesce(last.correlate(asked.who.table).scalar_subquery(), False)

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        said = say(lang, "最近一次「%(event)s」", event=self._called(lang)) + self._where_words()
        if self.within_days is None:
            return said
        return say(lang, "%(said)s，在近 %(days)s 天内", days=self.within_days, said=said)
