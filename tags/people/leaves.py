"""What conditions ask of people: profile, contacts, how she came, a random share (T4)."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

from flask_babel import lazy_gettext as _l
from pydantic import Field
from sqlalchemy import BigInteger, ColumnElement, Select, Text, and_, cast, exists, false, func, literal, select
from sqlalchemy.orm import Session, aliased

from bot.core.errors import Fault
from bot.core.i18n import say
from bot.web.api import Flag, Whole
from bot.web.language import spoken
from tags.conditions.controls import (
    OTHER,
    PROFILE,
    Choice,
    Comparison,
    Control,
    Figure,
    Fixed,
    Line,
    Lines,
    Option,
    Sentence,
    Shown,
    Way,
    Ways,
    whole_or_word,
)
from tags.conditions.counting import part
from tags.conditions.numbers import CompareMeasure, Days
from tags.conditions.tree import Asked, Leaf, leaf
from tags.conditions.triggers import choices as things
from tags.people import fields
from tags.people.models import Contact, Customer, Touch
from tags.people.staff import choices, names

PARTS = 10_000  # of a percent's hundredth: how fine a share is cut

Value = Annotated[str, Field(min_length=1, max_length=128)]

VALUES = {
    "gender": [Option("female", _l("女")), Option("male", _l("男"))],
    "language": [Option("zh-CN", _l("简体中文")), Option("zh-TW", _l("繁体中文")), Option("en", "English")],
}  # fmt: skip
MONTHS = [Option("this", _l("本月")), *(Option(str(month), str(month)) for month in range(1, 12 + 1))]
WAYS = {
    "in": Way("in", _l("是其中之一"), Lines("in", _l("内容"))),
    "number": Way("number", _l("数值"), Comparison("number", _l("数值"))),
    "month": Way("month", _l("在月份"), Choice("month", _l("月份"), options=MONTHS, made=whole_or_word)),
    "within_days": Way("within_days", _l("在近几天内"), Figure("within_days", _l("天数"))),
    "older_than_days": Way("older_than_days", _l("早于几天前"), Figure("older_than_days", _l("天数"))),
}  # fmt: skip
KNOWN = Way("known", _l("已知"), Fixed("exists", _l("已知"), says=True))
UNKNOWN = Way("unknown", _l("未知"), Fixed("exists", _l("未知"), says=False))
CHANNELS = [
    Option("live_code", _l("渠道活码")), Option("add_way", _l("直接添加")), Option("kf", _l("微信客服")),
    Option("group", _l("客户群")), Option("referral", _l("老带新")), Option("order", _l("订单")),
    Option("import", _l("导入")),
]  # fmt: skip


def channels(session: Session, lang: str) -> list[Option]:
    """The live codes, by the state each gives whom it brings."""
    return [Option(state, name) for state, name, _ in things(session, "state", lang)]


def from_where(session: Session, get: Callable[[str], str]) -> Sentence:
    """The sentence about a channel: which of the live codes, of another the state as WeCom gives it."""
    way = Choice("came_by", _l("渠道"), options=CHANNELS)
    if get("came_by") == "live_code":
        codes = channels(session, spoken())
        return Sentence(
            _l("第一次来自 {came_by} {state}"), way, Choice("state", _l("活码"), optional=True, options=codes)
        )
    return Sentence(_l("第一次来自 {came_by} 渠道参数 {state}"), way, Line("state", _l("渠道参数"), optional=True))


def members(session: Session) -> list[Option]:
    """The members who follow customers."""
    return [Option(userid, name, letters=letters) for userid, name, letters in choices(session)]


def known_fields(session: Session) -> list[Option]:
    """The fields that may be asked for, ours first."""
    return [Option(key, found.called(spoken())) for key, found in fields.every(session)]


def asked_of(session: Session, get: Callable[[str], str]) -> Sentence:
    """The ways the chosen field is asked."""
    key = get("field")
    found = fields.find(session, key)
    among = VALUES.get(key) or [Option(one, one) for one in (found.choices if found else ())]
    label = _l("内容")
    value: Control = Choice("is", label, options=among) if among else Line("is", label)
    is_ = Way("is", _l("是"), value)
    ways = [is_ if way == "is" else WAYS[way] for way in (found.ways if found else ("is", *WAYS)) if way != "exists"]
    return Sentence(
        "{field} {way}",
        Choice("field", _l("资料"), options=known_fields), Ways("way", _l("怎样"), ways=[*ways, KNOWN, UNKNOWN]),
    )  # fmt: skip


@leaf
class FieldLeaf(Leaf, key="field"):
    """A field of her profile, ours or one a brand defined (C6), asked in exactly one of these ways, as its type allows.

    is, in: it is this, or one of these. exists: it is known or not. number: compared. month: of a date, 1 to 12, or
    `this` for the month it is in the brand's zone (G2). within_days, older_than_days: a date of the last N local days,
    today included and tomorrow not, or one before those.
    """

    field: Annotated[str, Field(min_length=1, max_length=64)]
    is_: Value | None = Field(None, alias="is")
    in_: Annotated[list[Value], Field(min_length=1, max_length=200)] | None = Field(None, alias="in")
    exists: Flag | None = None
    number: CompareMeasure | None = None
    month: Annotated[Whole, Field(ge=1, le=12)] | Literal["this"] | None = None
    within_days: Days | None = None
    older_than_days: Days | None = None
    shown = Shown(_l("客户资料"), PROFILE, asked_of, start={"field": "gender", "is": "female"})

    def faults(self, session: Session) -> Iterator[Fault]:
        """A field that is not there, a way its type does not have, a choice it does not offer."""
        found = fields.find(session, self.field)
        if found is None:
            yield Fault("/field", f"there is no field {self.field}", _l("这个字段已经没有了"))
            return
        given = [name.strip("_") for name, value in self if name != "field" and value is not None]
        if len(given) != 1 or given[0] not in found.ways:
            yield Fault("", f"expected exactly one of {', '.join(found.ways)} beside the field {self.field}")
        strange = [value for value in self._values if found.choices and value not in found.choices]
        if strange:
            yield Fault(f"/{given[0]}", f"expected one of {', '.join(found.choices)}; found {', '.join(strange)}")

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's. Nobody has a field that was deleted since."""
        found = fields.find(asked.session, self.field)
        if found is None:
            return false()
        column, tied = found.known(asked)
        known = exists().where(*tied)
        if self.exists is not None:
            return known if self.exists else ~known
        return known.where(self._so(column, asked))

    def _so(self, column: ColumnElement[Any], asked: Asked) -> ColumnElement[bool]:
        if self.number is not None:
            return self.number.of(column)
        today = asked.now.astimezone(asked.zone).date()
        if self.month is not None:
            return func.date_part("month", column) == (today.month if self.month == "this" else self.month)
        if self.within_days is not None:
            return and_(column > today - timedelta(days=self.within_days), column <= today)
        if self.older_than_days is not None:
            return column <= today - timedelta(days=self.older_than_days)
        return column.in_(self._values)

    def aged(self, asked: Asked, since: datetime) -> Select[int] | None:
        """As every leaf's: at midnight anybody's date may be another number of days away."""
        if self.month != "this" and self.within_days is None and self.older_than_days is None:
            return None
        same_day = since.astimezone(asked.zone).date() == asked.now.astimezone(asked.zone).date()
        return None if same_day else select(Customer.id)

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        found = fields.find(session, self.field)
        called = found.called(lang) if found is not None else self.field
        if self.exists is not None:
            known, unknown = say(lang, "%(field)s已知", field=called), say(lang, "%(field)s未知", field=called)
            return known if self.exists else unknown
        if self.number is not None:
            return say(lang, "%(field)s %(number)s", field=called, number=self.number.words())
        if self.month == "this":
            return say(lang, "%(field)s在本月", field=called)
        if self.month is not None:
            return say(lang, "%(field)s在 %(month)s 月", field=called, month=self.month)
        if self.within_days is not None:
            return say(lang, "%(field)s在近 %(days)s 天内", field=called, days=self.within_days)
        if self.older_than_days is not None:
            return say(lang, "%(field)s在 %(days)s 天前或更早", field=called, days=self.older_than_days)
        shown = "、".join({"female": say(lang, "女"), "male": say(lang, "男")}.get(one, one) for one in self._values)
        return say(lang, "%(field)s是「%(value)s」", field=called, value=shown)

    @property
    def _values(self) -> list[str]:
        return [self.is_] if self.is_ is not None else self.in_ or []


@leaf
class ContactLeaf(Leaf, key="contact"):
    """Whether a member has her now (`active`), had her (`lost`), or nobody ever did (`never`); staff: of this one."""

    contact: Literal["active", "lost", "never"]
    staff: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    shown = Shown(
        _l("好友关系"), PROFILE,
        Sentence(
            _l("{contact} 成员 {staff}"),
            Choice("contact", _l("关系"), options=[
                Option("active", _l("是好友")), Option("lost", _l("曾是好友")), Option("never", _l("从未加过"))
            ]),
            Choice("staff", _l("成员"), optional=True, options=members),
        ),
        start={"contact": "active"},
    )  # fmt: skip

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        hers = exists().where(Contact.customer_id == asked.who)
        if self.staff is not None:
            hers = hers.where(Contact.userid == self.staff)
        active = hers.where(Contact.status == "active")
        return {"active": active, "lost": hers & ~active, "never": ~hers}[self.contact]

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        staff = say(lang, "任一成员")
        if self.staff is not None:
            staff = say(lang, "「%(word)s」", word=names(session, [self.staff]).get(self.staff, self.staff))
        return {
            "active": say(lang, "是%(staff)s的好友", staff=staff),
            "lost": say(lang, "曾是%(staff)s的好友", staff=staff),
            "never": say(lang, "从未加过%(staff)s", staff=staff),
        }[self.contact]


@part(_l("现在是好友"))
def friends() -> dict[str, Any]:
    """Of a count, those whom a member has now."""
    return {"contact": "active"}


@leaf
class CameByLeaf(Leaf, key="came_by"):
    """How she first came: the channel of her first touch, and its state where one is named (C1)."""

    came_by: Literal["live_code", "add_way", "kf", "group", "referral", "order", "import"]
    state: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    shown = Shown(_l("来源渠道"), PROFILE, from_where, start={"came_by": "live_code"})

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        first, other = aliased(Touch), aliased(Touch)
        hers = select(other.id).where(other.customer_id == asked.who).order_by(other.at, other.id).limit(1)
        earliest = hers.correlate(asked.who.table).scalar_subquery()
        asks = exists().where(first.id == earliest, first.channel == self.came_by)
        return asks.where(first.state == self.state) if self.state is not None else asks

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        called = {
            "live_code": say(lang, "渠道活码"), "add_way": say(lang, "直接添加"), "kf": say(lang, "微信客服"),
            "group": say(lang, "客户群"), "referral": say(lang, "老带新"), "order": say(lang, "订单"),
            "import": say(lang, "导入"),
        }[self.came_by]  # fmt: skip
        said = say(lang, "来自%(channel)s", channel=called)
        if self.state is None:
            return said
        named = {one.value: one.label for one in channels(session, lang)}
        return say(lang, "%(channel)s「%(name)s」", channel=said, name=named.get(self.state, self.state))


@leaf
class ShareLeaf(Leaf, key="share"):
    """A random share of all customers, the same ones each time for the same salt; other salts draw independently."""

    share: Annotated[Whole, Field(ge=1, le=99, description="percent")]
    salt: Annotated[str, Field(max_length=64)] = ""
    shown = Shown(
        _l("随机抽样"), OTHER,
        Sentence(
            _l("随机 {share} %，签号 {salt}"),
            Figure("share", _l("百分比")), Line("salt", _l("签号"), optional=True),
        ),
        start={"share": 10},
    )  # fmt: skip

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's: the first 4 bytes of SHA-256 over salt and id, cut into `PARTS`."""
        salted = func.sha256(func.convert_to(literal(f"{self.salt}:").concat(cast(asked.who, Text)), "utf8"))
        bytes_ = [cast(func.get_byte(salted, n), BigInteger) for n in range(4)]
        drawn = ((bytes_[0] * 256 + bytes_[1]) * 256 + bytes_[2]) * 256 + bytes_[3]
        return drawn % PARTS < self.share * PARTS // 100

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        return say(lang, "随机 %(share)s%%", share=self.share)
