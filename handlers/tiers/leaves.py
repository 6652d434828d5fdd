"""What conditions ask of tiers (T4)."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, false
from sqlalchemy.orm import Session

from bot.core.errors import Fault
from bot.core.i18n import say
from handlers.tiers.service import PERIOD_MONTHS, period_start, tiers
from tags.conditions.controls import LOYALTY, Choice, Figure, Option, Sentence, Shown
from tags.conditions.numbers import Compare, Days
from tags.conditions.tree import Asked, Leaf, leaf
from tags.orders import sums
from tags.people.finding import totalled


def options(session: Session) -> list[Option]:
    """The tiers of the table."""
    return [Option(step.name, step.name) for step in tiers.of(session)]


@leaf
class TierLeaf(Leaf, key="tier"):
    """Her tier is this one (P3); for_days: at every moment of the last N × 24 h, by the table of tiers there is now."""

    tier: str
    for_days: Days | None = None
    shown = Shown(
        _l("会员等级"), LOYALTY,
        Sentence(
            _l("是 {tier} 已满 {for_days} 天"),
            Choice("tier", _l("等级"), options=options), Figure("for_days", _l("天数"), optional=True),
        ),
    )  # fmt: skip

    def faults(self, session: Session) -> Iterator[Fault]:
        """A tier that is not in the table."""
        names = [step.name for step in tiers.of(session)]
        if self.tier not in names:
            yield Fault("/tier", f"expected one of {', '.join(names)}; found {self.tier}", _l("没有这个等级了"))

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's. Nobody has a tier that the table has lost since."""
        spent = self._spent(asked.session)
        if spent is None:
            return false()
        if self.for_days is not None:
            return sums.net_stays(
                asked.who, least=spent.gte or 0, below=spent.lt, months=PERIOD_MONTHS, zone=asked.zone,
                since=asked.now - timedelta(days=self.for_days), until=asked.now,
            )  # fmt: skip
        return spent.of(sums.net_of(asked.who, since=period_start(asked.session, asked.now)))

    def found(self, asked: Asked) -> Select[int] | None:
        """As every leaf's."""
        spent = self._spent(asked.session)
        if spent is None or self.for_days is not None:
            return None
        return totalled(sums.net_by_buyer(period_start(asked.session, asked.now)), spent)

    def aged(self, asked: Asked, since: datetime) -> Select[int]:
        """As every leaf's: an order leaves the period, or a day lies far enough back on which one came or left."""
        span = timedelta(days=self.for_days or 0)
        ends = [(since, asked.now), (since - span, asked.now - span)]
        return sums.buyers_between(
            *((period_start(asked.session, after), period_start(asked.session, until)) for after, until in ends),
            *((after, until) for after, until in ends if span),
        )  # fmt: skip

    def _spent(self, session: Session) -> Compare | None:
        """What she has to have spent; None: there is no such tier any more."""
        steps = tiers.of(session)
        ends = [*(step.from_fen for step in steps[1:]), None]
        spans = {step.name: Compare(gte=step.from_fen, lt=end) for step, end in zip(steps, ends, strict=True)}
        return spans.get(self.tier)

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        if self.for_days is None:
            return say(lang, "等级是「%(tier)s」", tier=self.tier)
        return say(lang, "等级是「%(tier)s」已满 %(days)s 天", tier=self.tier, days=self.for_days)
