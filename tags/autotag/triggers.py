"""What rules may wait for that comes by the clock: a silence, an hour (T3)."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from flask_babel import lazy_gettext as _l
from pydantic import AfterValidator, Field, model_validator
from sqlalchemy import BigInteger, ColumnElement, cast, literal, select
from sqlalchemy.orm import Session, aliased

from bot.core.i18n import say
from bot.web.api import Whole, bad
from tags.autotag.events import CustomerSilent, ScheduleCame
from tags.conditions.controls import Control, Figure, Line, Option, Several, whole_or_word
from tags.conditions.triggers import Number, Past, Row, Said, Times, Trigger, trigger
from tags.people.models import Customer

LOOKED_AT = 50  # hours of a schedule that are compared: a day and more of the densest
CLOSEST = timedelta(hours=1)
WEEKDAYS: Mapping[int, Said] = {
    1: lambda lang: say(lang, "周一"), 2: lambda lang: say(lang, "周二"), 3: lambda lang: say(lang, "周三"),
    4: lambda lang: say(lang, "周四"), 5: lambda lang: say(lang, "周五"), 6: lambda lang: say(lang, "周六"),
    7: lambda lang: say(lang, "周日"),
}  # fmt: skip

Days = Annotated[Whole, Field(ge=1, le=3650, description="N × 24 h without a touch of hers")]
TimeOfDay = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=["09:00"])]
Weekday = Annotated[Whole, Field(ge=1, le=7)]


def _hours(expression: str) -> str:
    try:
        hours = CronSim(expression, datetime(2026, 1, 1, tzinfo=UTC))
        comes = [next(hours) for _ in range(LOOKED_AT)]
    except CronSimError as error:
        raise bad(
            f"is no cron expression of five fields: {error}", _l("cron 写法不对，要五段，例如 0 9 1 * *")
        ) from None
    except StopIteration:
        raise bad("never comes", _l("这个时间永远不会到")) from None
    if any(later - earlier < CLOSEST for earlier, later in pairwise(comes)):
        raise bad(
            "comes more than once an hour, expected at least an hour between two times",
            _l("太密了，两次之间至少一小时"),
        )
    return expression


class Span(Number):
    """So many days, no more and no less: a silence is told once for each span that is asked for."""

    def passes(self, value: Any, found: Any) -> bool:
        return bool(value == found)

    def sql(self, value: Any, row: Row) -> ColumnElement[bool]:
        found: ColumnElement[int] = cast(row.data[self.said].astext, BigInteger)
        return found.in_([value])

    def controls(self, session: Session, name: str, lang: str, *, needed: bool, many: bool) -> list[Control]:
        return [Figure(name, self.label(lang), not needed)]


@trigger(CustomerSilent, lambda lang: say(lang, "沉默"))
class Silent(Trigger):
    """Nothing came from her for so many days; once a silence, from the moment the rule is on."""

    days: Annotated[Days, Span("days", lambda lang: say(lang, "满几天"))]

    def past(self, past: Past) -> Times:
        """Those who fell silent since then and are so still: who came back meanwhile has left no trace of it."""
        span, her = timedelta(days=self.days), aliased(Customer)
        fell = her.seen_at > past.since - span, her.seen_at <= past.now - span
        at = (her.seen_at + literal(span)).label("at")
        return select(her.id.label("customer_id"), at).where(her.merged_into.is_(None), *fell)

    def words(self, session: Session, lang: str) -> str:
        """As every trigger's."""
        return say(lang, "已经 %(days)s 天没有动静", days=self.days)


@trigger(ScheduleCame, lambda lang: say(lang, "定时"))
class Schedule(Trigger):
    """An hour in the brand's zone, for each customer whom the condition means then: a time of day, on some weekdays
    (1 Monday to 7 Sunday) or every day, or a cron expression."""

    at: TimeOfDay | None = None
    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)] | None = None
    cron: Annotated[str, Field(max_length=100), AfterValidator(_hours)] | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.at is None) == (self.cron is None) or (self.weekdays and self.cron):
            raise bad("expected either at, with weekdays or without, or cron", _l("填几点，或者填 cron，只填一样"))
        return self

    def after(self, at: datetime, zone: ZoneInfo) -> datetime:
        """When it comes next after `at` (aware), in UTC."""
        return next(CronSim(self._expression(), at.astimezone(zone))).astimezone(UTC)

    def past(self, past: Past) -> Times:
        """Everybody: its condition is asked of all, now."""
        her = aliased(Customer)
        return select(her.id.label("customer_id"), literal(past.now).label("at")).where(her.merged_into.is_(None))

    def words(self, session: Session, lang: str) -> str:
        """As every trigger's."""
        if self.cron is not None:
            return say(lang, "定时（cron %(cron)s）", cron=self.cron)
        if not self.weekdays:
            return say(lang, "每天 %(at)s", at=self.at)
        days = say(lang, "、").join(self._weekdays(lang))
        return say(lang, "每%(days)s %(at)s", days=days, at=self.at)

    def clause(self, session: Session, lang: str) -> str:
        """As every trigger's."""
        return say(lang, "%(hours)s，", hours=self.words(session, lang))

    @classmethod
    def controls(cls, session: Session, lang: str) -> list[Control]:
        """As every trigger's."""
        days = [Option(str(day), words(lang)) for day, words in WEEKDAYS.items()]
        return [
            Line("at", say(lang, "几点（例如 09:00）"), optional=True),
            Several("weekdays", say(lang, "星期（不选就是每天）"), True, days, whole_or_word),
            Line("cron", say(lang, "或者 cron（例如 0 9 1 * *）"), optional=True),
        ]

    def _weekdays(self, lang: str) -> Iterator[str]:
        return (WEEKDAYS[day](lang) for day in sorted(set(self.weekdays or ())))

    def _expression(self) -> str:
        if self.cron is not None:
            return self.cron
        hour, minute = (self.at or "").split(":")
        days = ",".join(str(day % 7) for day in sorted(set(self.weekdays or ()))) or "*"
        return f"{int(minute)} {int(hour)} * * {days}"
