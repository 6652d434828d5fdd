"""What conditions ask of RFM (T4)."""

from datetime import datetime, timedelta
from typing import Annotated, Literal, Self

from flask_babel import lazy_gettext as _l
from pydantic import Field, model_validator
from sqlalchemy import ColumnElement, Select, exists, select, union
from sqlalchemy.orm import Session, aliased

from bot.core.i18n import say
from bot.web.api import Body, Whole
from tags.conditions.controls import STANDING, Choice, Figure, Option, Sentence, Several, Shown
from tags.conditions.numbers import Days
from tags.conditions.tree import Asked, Leaf, leaf
from tags.people.models import Customer
from tags.rfm.models import Score

Some = Annotated[list[Annotated[Whole, Field(ge=1, le=5)]], Field(min_length=1, max_length=5)]
Named = Literal[
    "重要价值", "重要发展", "重要保持", "重要挽留", "一般价值", "一般发展", "一般保持", "一般挽留", "未购"
]  # fmt: skip
NAMED = [
    Option("重要价值", _l("重要价值")), Option("重要发展", _l("重要发展")), Option("重要保持", _l("重要保持")),
    Option("重要挽留", _l("重要挽留")), Option("一般价值", _l("一般价值")), Option("一般发展", _l("一般发展")),
    Option("一般保持", _l("一般保持")), Option("一般挽留", _l("一般挽留")), Option("未购", _l("未购")),
]  # fmt: skip
FIVE = [Option(str(score), str(score)) for score in range(1, 6)]


class Scores(Body):
    """The scores that are meant, of one or more of the three."""

    r: Some | None = None
    f: Some | None = None
    m: Some | None = None

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.given():
            raise ValueError("expected at least one of r, f, m")
        return self

    def given(self) -> list[tuple[str, list[int]]]:
        """The lists by name."""
        return [(name, values) for name, values in self if values is not None]


@leaf
class RfmLeaf(Leaf, key="rfm"):
    """Her scores are among these; nobody's whose orders don't count."""

    rfm: Scores
    shown = Shown(
        _l("RFM 得分"), STANDING,
        Sentence(
            _l("近度 {r} 频度 {f} 额度 {m}"),
            *(Several(f"rfm.{one}", label, optional=True, options=FIVE, made=int)
              for one, label in (("r", _l("近度得分")), ("f", _l("频度得分")), ("m", _l("额度得分")))),
        ),
        start={"rfm": {"r": [4, 5]}},
    )  # fmt: skip

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        hers = aliased(Score)
        so = [getattr(hers, name).in_(values) for name, values in self.rfm.given()]
        return exists().where(hers.customer_id == asked.who, *so)

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        parts = [f"{name.upper()} {'/'.join(map(str, sorted(set(values))))}" for name, values in self.rfm.given()]
        return say(lang, "RFM 得分 %(scores)s", scores="，".join(parts))


@leaf
class ClassLeaf(Leaf, key="class"):
    """Her class is this one; 未购: she has none. for_days: for at least N × 24 h without a break."""

    class_: Named = Field(alias="class")
    for_days: Days | None = None
    shown = Shown(
        _l("RFM 分类"), STANDING,
        Sentence(
            _l("是 {class} 已满 {for_days} 天"),
            Choice("class", _l("分类"), options=NAMED), Figure("for_days", _l("天数"), optional=True),
        ),
    )  # fmt: skip

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        hers, she = aliased(Score), aliased(Customer)
        row, begun = exists().where(hers.customer_id == asked.who), asked.now - timedelta(days=self.for_days or 0)
        if self.class_ != "未购":
            row = row.where(hers.named == self.class_)
            return row if self.for_days is None else row.where(hers.since <= begun)
        if self.for_days is None:
            return ~row.where(hers.named != "")
        known = exists().where(she.id == asked.who, she.created_at <= begun)
        return known & ~row.where((hers.named != "") | (hers.since > begun))

    def aged(self, asked: Asked, since: datetime) -> Select[int] | None:
        """As every leaf's."""
        if self.for_days is None:
            return None
        hers, she, span = aliased(Score), aliased(Customer), timedelta(days=self.for_days)
        begun = select(hers.customer_id).where(hers.since > since - span, hers.since <= asked.now - span)
        made = select(she.id).where(she.created_at > since - span, she.created_at <= asked.now - span)
        return select(union(begun, made).subquery().c[0])

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        if self.for_days is None:
            return say(lang, "RFM 分类是「%(name)s」", name=self.class_)
        return say(lang, "RFM 分类是「%(name)s」已满 %(days)s 天", name=self.class_, days=self.for_days)
