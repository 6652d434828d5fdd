"""What conditions ask of events: how often one happened, and what the last one said (T4)."""

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Annotated, Any

from flask_babel import lazy_gettext as _l
from pydantic import Field
from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.events import Event, EventRow
from bot.core.i18n import say
from bot.web.api import Flag, Whole
from bot.web.language import spoken
from tags.conditions.controls import (
    DID,
    Choice,
    Comparison,
    Control,
    Figure,
    Option,
    Pairs,
    Sentence,
    Shown,
    flag_or_word,
    whole_or_word,
)
from tags.conditions.numbers import Compare, Days
from tags.conditions.tree import Asked, Leaf, leaf
from tags.people.finding import totalled
from tags.people.service import by_owner, family_of
from tags.timeline.service import Called, askable

Said = Annotated[
    dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=200)] | Whole | Flag],
    Field(min_length=1, max_length=5, description="fields of the event and their values; ids as the API writes them"),
]


def events(session: Session) -> list[Option]:
    """The events that may be asked for."""
    return [Option(kind.name, called(spoken())) for kind, called in askable]


def asked_of(
    key: str, words: Any, *more: Control, optional: bool = False
) -> Callable[[Session, Callable[[str], str]], Sentence]:
    """The sentence about an event, with the fields of the one that is chosen."""

    def sentence(session: Session, get: Callable[[str], str]) -> Sentence:
        kind = next((one for one, _ in askable if one.name == get(key)), None)
        fields = {
            name: (field_called(name, spoken()), _json(name, type_))
            for name, type_ in (fields_of(kind) if kind else ())
        }
        said = Pairs("where", _l("其中"), optional, fields=fields)
        return Sentence(words, Choice(key, _l("事件"), options=events), said, *more)

    return sentence


def fields_of(kind: type[Event]) -> Iterator[tuple[str, str]]:
    """The fields of an event, as (name, type); a number that may be missing counts as one."""
    for one in dataclasses.fields(kind):
        if one.name != "customer_id":
            yield one.name, getattr(one.type, "__name__", str(one.type)).removesuffix(" | None")


def field_called(name: str, lang: str) -> str:
    """What a field of events is called; itself where nobody named it."""
    return {
        "order_id": say(lang, "订单号"), "total_fen": say(lang, "实付（分）"), "amount_fen": say(lang, "退款（分）"),
        "pieces": say(lang, "件数"), "first_item": say(lang, "第一件商品"), "month": say(lang, "月份"),
        "points": say(lang, "积分"), "points_used": say(lang, "用掉的积分"), "tag": say(lang, "标签"),
        "tag_id": say(lang, "标签编号"), "group": say(lang, "标签组"), "source": say(lang, "来自"),
        "userid": say(lang, "成员账号"), "state": say(lang, "渠道参数"), "customer": say(lang, "新老"),
        "add_way": say(lang, "添加方式"), "chat": say(lang, "群名"), "chat_id": say(lang, "群编号"),
        "join_scene": say(lang, "入群方式"), "kind": say(lang, "种类"), "text": say(lang, "内容"),
        "reason": say(lang, "原因"), "code": say(lang, "短链"), "segment": say(lang, "客群"),
    }.get(name, name)  # fmt: skip


def _json(name: str, type_: str) -> Callable[[str], Any]:
    """The JSON of what is typed for a field: ids are strings outside."""
    if type_ == "bool":
        return flag_or_word
    return whole_or_word if type_ == "int" and not name.endswith("_id") else str


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
        return {name: type_ == "int" for name, type_ in fields_of(self._event[0])}

    def aged(self, asked: Asked, since: datetime) -> Select[int] | None:
        """As every leaf's."""
        if self.within_days is None:
            return None
        row, span = aliased(EventRow), timedelta(days=self.within_days)
        between = row.at > since - span, row.at <= asked.now - span
        return by_owner(row).where(row.name == self._name, *between)

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

    def _where_words(self, lang: str) -> str:
        said = "、".join(f"{field_called(name, lang)} = {value}" for name, value in (self.where or {}).items())
        return f"（{said}）" if said else ""


@leaf
class EventLeaf(AboutEvent, key="event"):
    """It happened with her, at least once where `count` says nothing else, within_days, with these fields."""

    event: str
    count: Compare | None = None
    shown = Shown(
        _l("发生过的事"), DID,
        asked_of(
            "event", _l("近 {within_days} 天有过 {event} {where}，次数 {count}"),
            Figure("within_days", _l("天数"), optional=True), Comparison("count", _l("次数"), optional=True),
            optional=True,
        ),
        start={"event": "order.paid", "within_days": 90},
    )  # fmt: skip

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
        row = aliased(EventRow)
        wanted = [row.name == self.event, *self._so(row)]
        if self.within_days is not None:
            wanted.append(row.at > asked.now - timedelta(days=self.within_days))
        return totalled(by_owner(row, func.count()).where(*wanted), self.count or Compare(gte=1))

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        said = say(lang, "有过「%(event)s」", event=self._called(lang)) + self._where_words(lang)
        if self.within_days is not None:
            said = say(lang, "近 %(days)s 天%(said)s", days=self.within_days, said=said)
        return say(lang, "%(said)s %(times)s 次", said=said, times=self.count.words()) if self.count else said


@leaf
class LastEventLeaf(AboutEvent, key="last_event"):
    """The last one that happened with her says this, and lies within_days where that is asked."""

    last_event: str
    where: Said
    shown = Shown(
        _l("最近一次的事"), DID,
        asked_of(
            "last_event", _l("最近一次 {last_event} {where}，在近 {within_days} 天内"),
            Figure("within_days", _l("天数"), optional=True),
        ),
        start={"last_event": "order.paid", "where": {}},
    )  # fmt: skip

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
        said = say(lang, "最近一次「%(event)s」", event=self._called(lang)) + self._where_words(lang)
        if self.within_days is None:
            return said
        return say(lang, "%(said)s，在近 %(days)s 天内", days=self.within_days, said=said)
