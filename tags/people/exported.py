"""The customer list as rows of a file, read some at a time."""

from collections.abc import Iterator, Mapping
from typing import Any

from flask_babel import gettext as _
from sqlalchemy.orm import Session

from bot.core.installation import installation_of
from tags.people import finding, staff
from tags.people.cards import cards

AT_ONCE = 200


def heads() -> list[str]:
    """The headings, as an import would know them again."""
    return [
        _("客户 ID"), _("姓名"), _("手机号"), "unionid", _("性别"), _("生日"), _("城市"), _("等级"), _("生命周期"),
        "RFM", _("标签"), _("积分"), _("跟进成员"), _("成为客户时间"), _("最近互动"),
    ]  # fmt: skip


def rows(session: Session, *, words: str, wanted: Mapping[str, str], whole: bool) -> Iterator[list[Any]]:
    """A row a customer, newest touch first. whole: phones as they are, else masked."""
    vault, cursor = installation_of(session).vault, None
    while True:
        found, cursor = finding.page(session, q=words, wanted=wanted, limit=AT_ONCE, cursor=cursor)
        shown = cards(session, found)
        names = staff.names(session, {contact.userid for her in shown for contact in her.contacts})
        for row, her in zip(found, shown, strict=True):
            phone = vault.decrypt(row.phone) if whole and row.phone else her.phone
            members = [names.get(one.userid) or one.userid for one in her.contacts if one.status == "active"]
            yield [
                her.id, her.name, phone, her.unionid, her.gender, her.birthday, her.city, her.tier, her.lifecycle,
                her.rfm.cls if her.rfm else None, "、".join(tag.name for tag in her.tags), her.points.balance,
                "、".join(members), her.created_at, her.seen_at,
            ]  # fmt: skip
        session.expunge_all()
        if cursor is None:
            return
