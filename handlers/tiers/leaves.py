"""What conditions ask of tiers (T4)."""

from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, false
from sqlalchemy.orm import Session

from bot.core.errors import Fault
from bot.core.i18n import say
from handlers.tiers.service import PERIOD_MONTHS, period_start, tiers
from tags.conditions.numbers import Days
from tags.conditions.tree import Asked, Leaf, leaf
from tags.orders import sums


@leaf
class TierLeaf(Leaf, key="tier"):
    """Her tier is this one (P3); for_days: at every moment of the last N × 24 h, by the table of tiers there is now."""

    tier: str
    for_days: Days | None = None

    def faults(self, session: Session) -> Iterator[Fault]:
        """A tier that is not in the table."""
        names = [step.name for step in tiers.of(session)]
        if self.tier not in names:
            yield Fault("/tier", f"expected one of {', '.join(names)}; found {self.tier}")

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's. Nobody has a tier that the table has lost since."""
        steps = tiers.of(asked.session)
        ends = [*(step.from_fen for step in steps[1:]), None]
        spans = {step.name: (step.from_fen, end) for step, end in zip(steps, ends, strict=True)}
        if self.tier not in spans:
            return false()
        start, end = spans[self.tier]
        if self.for_days is not None:
            return sums.net_stays(
                asked.who, least=start, below=end, months=PERIOD_MONTHS, zone=asked.zone,
                since=asked.now - timedelta(days=self.for_days), until=asked.now,
            )  # fmt: skip
        spent = sums.net_of(asked.who, since=period_start(asked.session, asked.now))
        return spent >= start if end is None else and_(spent >= start, spent < end)

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        if self.for_days is None:
            return say(lang, "等级是「%(tier)s」", tier=self.tier)
        return say(lang, "等级是「%(tier)s」已满 %(days)s 天", tier=self.tier, days=self.for_days)
