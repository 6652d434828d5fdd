"""What rules may wait for of people: added, left, removed (T3)."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field
from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.web.api import Whole
from tags.conditions.controls import whole_or_word
from tags.conditions.triggers import Choice, OneOf, Said, Trigger, chooses, trigger
from tags.people import staff
from tags.people.events import ContactAdded, ContactLeft, ContactRemoved
from tags.people.staff import Userid

MOST_LISTED = 100

# The values of AddWay that WeCom documents (wecom.md §3.4), as people call them.
ADD_WAYS: Mapping[int, Said] = {
    1: lambda lang: say(lang, "扫二维码"), 2: lambda lang: say(lang, "搜索手机号"),
    3: lambda lang: say(lang, "名片分享"), 4: lambda lang: say(lang, "群聊"),
    5: lambda lang: say(lang, "手机通讯录"), 6: lambda lang: say(lang, "微信联系人"),
    8: lambda lang: say(lang, "第三方服务自动添加"), 9: lambda lang: say(lang, "搜索邮箱"),
    10: lambda lang: say(lang, "视频号"), 16: lambda lang: say(lang, "获客链接"),
    201: lambda lang: say(lang, "内部成员共享"), 202: lambda lang: say(lang, "管理员分配"),
}  # fmt: skip
COMINGS: Mapping[str, Said] = {
    "new": lambda lang: say(lang, "新客户"), "returning": lambda lang: say(lang, "回来的客户"),
}  # fmt: skip
PARTINGS: Mapping[str, Said] = {
    "deleted": lambda lang: say(lang, "成员删除了她"), "transferred": lambda lang: say(lang, "转接给了别人"),
}  # fmt: skip

Userids = Annotated[list[Userid], Field(min_length=1, max_length=MOST_LISTED)]
State = Annotated[str, Field(min_length=1, max_length=128)]


class Member(OneOf):
    """The member an event names."""

    def names(self, session: Session, values: Sequence[str], lang: str) -> Mapping[str, str]:
        return staff.names(session, values)


member = Member("userid", lambda lang: say(lang, "成员"), "member")


@trigger(ContactAdded, lambda lang: say(lang, "加为好友"))
class Added(Trigger):
    """She and a member became friends. state: the channel's, as WeCom gives it; add_way: WeCom's numbers."""

    state: Annotated[
        Annotated[list[State], Field(min_length=1, max_length=MOST_LISTED)] | None,
        OneOf("state", lambda lang: say(lang, "渠道"), "state"),
    ] = None
    staff: Annotated[Userids | None, member] = None
    add_way: Annotated[
        Annotated[list[Whole], Field(min_length=1, max_length=MOST_LISTED)] | None,
        OneOf("add_way", lambda lang: say(lang, "添加方式"), "add_way", made=whole_or_word),
    ] = None
    customer: Annotated[
        Literal["new", "returning"] | None, OneOf("customer", lambda lang: say(lang, "客户"), "coming")
    ] = None


@trigger(ContactLeft, lambda lang: say(lang, "删除成员"))
class Left(Trigger):
    """She deleted a member."""

    staff: Annotated[Userids | None, member] = None


@trigger(ContactRemoved, lambda lang: say(lang, "被成员删除"))
class Removed(Trigger):
    """A member deleted her, or she was transferred to another."""

    staff: Annotated[Userids | None, member] = None
    reason: Annotated[
        Literal["deleted", "transferred"] | None, OneOf("reason", lambda lang: say(lang, "原因"), "parting")
    ] = None


@chooses("member")
def members(session: Session, lang: str) -> list[Choice]:
    return [(userid, name, "") for userid, name, _ in staff.choices(session)]


@chooses("add_way")
def add_ways(session: Session, lang: str) -> list[Choice]:
    return [(str(number), words(lang), "") for number, words in ADD_WAYS.items()]


@chooses("coming")
def comings(session: Session, lang: str) -> list[Choice]:
    return [(value, words(lang), "") for value, words in COMINGS.items()]


@chooses("parting")
def partings(session: Session, lang: str) -> list[Choice]:
    return [(value, words(lang), "") for value, words in PARTINGS.items()]
