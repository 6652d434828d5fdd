"""What conditions ask of people: profile, contacts, how she came, a random share (T4)."""

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator
from sqlalchemy import BigInteger, ColumnElement, Text, cast, exists, func, literal, select
from sqlalchemy.orm import Session, aliased

from bot.core.i18n import say
from bot.web.api import Flag, Whole
from tags.conditions.tree import Asked, Leaf, leaf
from tags.people.models import Contact, Customer, Touch
from tags.people.staff import names

TEXTS = ("gender", "city", "language", "name")
PARTS = 10_000  # of a percent's hundredth: how fine a share is cut

Value = Annotated[str, Field(min_length=1, max_length=128)]


@leaf
class FieldLeaf(Leaf, key="field"):
    """A field of her profile: `is` or one `in` a list, known or not (`exists`), a birthday's month.

    month: 1 to 12, or `this` for the month it is in the brand's zone (G2).
    """

    field: Literal["gender", "city", "language", "name", "birthday", "phone"]
    is_: Value | None = Field(None, alias="is")
    in_: Annotated[list[Value], Field(min_length=1, max_length=200)] | None = Field(None, alias="in")
    exists: Flag | None = None
    month: Annotated[Whole, Field(ge=1, le=12)] | Literal["this"] | None = None

    @model_validator(mode="after")
    def _one(self) -> Self:
        ways = ["is", "in", "exists"] if self.field in TEXTS else ["exists"]
        ways += ["month"] if self.field == "birthday" else []
        given = [name.strip("_") for name, value in self if name != "field" and value is not None]
        if len(given) != 1 or given[0] not in ways:
            raise ValueError(f"expected exactly one of {', '.join(ways)} beside the field {self.field}")
        return self

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        her = Customer.__table__.alias("her")
        return exists().where(her.c.id == asked.who, self._true(her.c[self.field], asked))

    def _true(self, column: ColumnElement[Any], asked: Asked) -> ColumnElement[bool]:
        if self.exists is not None:
            known = column != "" if self.field in TEXTS else column.is_not(None)
            return known if self.exists else ~known
        if self.month is not None:
            month = asked.now.astimezone(asked.zone).month if self.month == "this" else self.month
            return func.coalesce(func.date_part("month", column) == month, False)
        return column.in_(self._values)

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        called = {
            "gender": say(lang, "性别"), "city": say(lang, "城市"), "language": say(lang, "语言"),
            "name": say(lang, "姓名"), "birthday": say(lang, "生日"), "phone": say(lang, "手机号"),
        }[self.field]  # fmt: skip
        if self.exists is not None:
            known, unknown = say(lang, "%(field)s已知", field=called), say(lang, "%(field)s未知", field=called)
            return known if self.exists else unknown
        if self.month == "this":
            return say(lang, "本月生日")
        if self.month is not None:
            return say(lang, "生日在 %(month)s 月", month=self.month)
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


@leaf
class CameByLeaf(Leaf, key="came_by"):
    """How she first came: the channel of her first touch, and its state where one is named (C1)."""

    came_by: Literal["live_code", "add_way", "kf", "group", "referral", "order", "import"]
    state: Annotated[str, Field(min_length=1, max_length=128)] | None = None

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
        return f"{said}（{self.state}）" if self.state is not None else said


@leaf
class ShareLeaf(Leaf, key="share"):
    """A random share of all customers, the same ones each time for the same salt; other salts draw independently."""

    share: Annotated[Whole, Field(ge=1, le=99, description="percent")]
    salt: Annotated[str, Field(max_length=64)] = ""

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's: the first 4 bytes of SHA-256 over salt and id, cut into `PARTS`."""
        salted = func.sha256(func.convert_to(literal(f"{self.salt}:").concat(cast(asked.who, Text)), "utf8"))
        bytes_ = [cast(func.get_byte(salted, n), BigInteger) for n in range(4)]
        drawn = ((bytes_[0] * 256 + bytes_[1]) * 256 + bytes_[2]) * 256 + bytes_[3]
        return drawn % PARTS < self.share * PARTS // 100

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        return say(lang, "随机 %(share)s%%", share=self.share)
