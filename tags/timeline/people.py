"""How the timeline tells what people announce (C4); it stands above them, so their tellers live here."""

from typing import Any

from bot.core.i18n import say
from tags.people.events import ContactAdded, ContactLeft, ContactRemoved
from tags.people.merge import because
from tags.timeline.service import Told, calls, tells

Data = dict[str, Any]


@tells("contact.added")
def added(data: Data, lang: str) -> Told:
    if data["customer"] == "new":
        text = say(lang, "添加了成员 %(staff)s", staff=data["staff"])
    else:
        text = say(lang, "再次添加了成员 %(staff)s", staff=data["staff"])
    state = data["called"].get(f"state:{data['state']}") or data["state"]
    return Told("user-plus", "", text, say(lang, "渠道 %(state)s", state=state) if state else "")


@tells("contact.completed")
def completed(data: Data, lang: str) -> Told:
    return Told("user", "", say(lang, "成员 %(staff)s 通过了她的添加", staff=data["staff"]))


@tells("contact.welcome_code")
def welcome_code(data: Data, lang: str) -> Told:
    return Told("mail", "", say(lang, "企业微信给了成员 %(staff)s 一个欢迎语凭证", staff=data["staff"]))


@tells("contact.left")
def left(data: Data, lang: str) -> Told:
    return Told("user-minus", "alert", say(lang, "删除了成员 %(staff)s", staff=data["staff"]))


@tells("contact.removed")
def removed(data: Data, lang: str) -> Told:
    if data["reason"] == "transferred":
        return Told("arrow-left-right", "", say(lang, "从成员 %(staff)s 转接走", staff=data["staff"]))
    return Told("user-minus", "alert", say(lang, "被成员 %(staff)s 删除", staff=data["staff"]))


@tells("contact.recorded")
def recorded(data: Data, lang: str) -> Told:
    texts = {
        "added": say(lang, "补记：添加了成员 %(staff)s", staff=data["staff"]),
        "left": say(lang, "补记：删除了成员 %(staff)s", staff=data["staff"]),
        "removed": say(lang, "补记：被成员 %(staff)s 删除", staff=data["staff"]),
        "transferred": say(lang, "补记：从成员 %(staff)s 转接走", staff=data["staff"]),
    }
    return Told("history", "", texts[data["change"]])


@tells("contact.transfer_failed")
def transfer_failed(data: Data, lang: str) -> Told:
    reasons = {
        "customer_refused": say(lang, "客户拒绝了"),
        "customer_limit_exceed": say(lang, "接替成员的客户已满"),
    }
    why = str(reasons.get(data["reason"], data["reason"]))
    return Told("circle-x", "", say(lang, "没有转接给成员 %(staff)s", staff=data["staff"]), why)


@tells("customer.changed")
def changed(data: Data, lang: str) -> Told:
    names = {
        "name": say(lang, "姓名"),
        "gender": say(lang, "性别"),
        "birthday": say(lang, "生日"),
        "city": say(lang, "城市"),
        "language": say(lang, "语言"),
        "phone": say(lang, "手机"),
    }
    called = {field: data["called"].get(f"field:{field}", field) for field in data["fields"]}
    fields = "、".join((called | names)[field] for field in data["fields"])
    return Told("pencil", "", say(lang, "资料有更新：%(fields)s", fields=fields))


@tells("customer.merged")
def merged(data: Data, lang: str) -> Told:
    return Told("merge", "", say(lang, "与%(other)s合并", other=_other(data)), because(data["because"], lang))


@tells("customer.merge_undone")
def merge_undone(data: Data, lang: str) -> Told:
    return Told("undo-2", "", say(lang, "与%(other)s的合并已撤销", other=_other(data)))


def _other(data: Data) -> str:
    return str(data["called"][f"customer:{data['from_id']}"])


@calls(ContactAdded)
def contact_added(lang: str) -> str:
    return say(lang, "加为好友")


@calls(ContactLeft)
def contact_left(lang: str) -> str:
    return say(lang, "删除成员")


@calls(ContactRemoved)
def contact_removed(lang: str) -> str:
    return say(lang, "被成员删除")
