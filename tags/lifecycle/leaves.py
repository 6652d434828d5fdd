"""What conditions ask of the lifecycle (T4)."""

from datetime import datetime, timedelta
from typing import Literal

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, exists, select
from sqlalchemy.orm import Session, aliased

from bot.core.i18n import say
from tags.conditions.controls import STANDING, Choice, Figure, Option, Sentence, Shown
from tags.conditions.numbers import Days
from tags.conditions.tree import Asked, Leaf, leaf
from tags.lifecycle.models import StageRow
from tags.people.models import Contact

STAGES = [
    Option("stranger", _l("陌生人")), Option("contact", _l("好友未购")), Option("first_buyer", _l("首购")),
    Option("repeat", _l("复购")), Option("loyal", _l("忠诚")), Option("at_risk", _l("流失风险")),
    Option("lapsed", _l("已流失")), Option("won_back", _l("已召回")),
]  # fmt: skip


@leaf
class LifecycleLeaf(Leaf, key="lifecycle"):
    """Her stage is this one; for_days: for at least N × 24 h, which is asked of buyers only."""

    lifecycle: Literal["stranger", "contact", "first_buyer", "repeat", "loyal", "at_risk", "lapsed", "won_back"]
    for_days: Days | None = None
    shown = Shown(
        _l("生命周期"), STANDING,
        Sentence(
            _l("阶段是 {lifecycle} 已满 {for_days} 天"),
            Choice("lifecycle", _l("阶段"), options=STAGES), Figure("for_days", _l("天数"), optional=True),
        ),
    )  # fmt: skip

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        hers = aliased(StageRow)
        row, met = exists().where(hers.customer_id == asked.who), exists().where(Contact.customer_id == asked.who)
        if self.lifecycle == "stranger":
            return ~met
        if self.lifecycle == "contact":
            return met & ~row.where(hers.stage != "")
        row = row.where(hers.stage == self.lifecycle)
        return row if self.for_days is None else row.where(hers.since <= asked.now - timedelta(days=self.for_days))

    def aged(self, asked: Asked, since: datetime) -> Select[int] | None:
        """As every leaf's."""
        if self.for_days is None:
            return None
        hers, span = aliased(StageRow), timedelta(days=self.for_days)
        return select(hers.customer_id).where(hers.since > since - span, hers.since <= asked.now - span)

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        called = {
            "stranger": say(lang, "陌生人"), "contact": say(lang, "好友未购"), "first_buyer": say(lang, "首购"),
            "repeat": say(lang, "复购"), "loyal": say(lang, "忠诚"), "at_risk": say(lang, "流失风险"),
            "lapsed": say(lang, "已流失"), "won_back": say(lang, "已召回"),
        }[self.lifecycle]  # fmt: skip
        said = say(lang, "阶段是「%(stage)s」", stage=called)
        return say(lang, "%(said)s已满 %(days)s 天", said=said, days=self.for_days) if self.for_days else said
