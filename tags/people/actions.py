"""What rules may do with people: tell the members who follow her (T3)."""

from typing import Annotated

from pydantic import AfterValidator, Field
from sqlalchemy.orm import Session

from bot.core.i18n import SOURCE, say
from tags.conditions.actions import Action, Fired, action
from tags.conditions.controls import Control, Text
from tags.people import service, staff

MOST_CHARACTERS = 500  # 2,048 bytes of an app message hold them with the name and the rule's (wecom.md §3.18)


def _said(text: str) -> str:
    if not text.strip():
        raise ValueError("is empty, expected what the members are to be told")
    return text


@action(lambda lang: say(lang, "通知跟进成员"))
class NotifyStaff(Action, key="notify_staff"):
    """The members who follow her get a text through the app."""

    notify_staff: Annotated[str, Field(max_length=MOST_CHARACTERS), AfterValidator(_said)]

    def do(self, session: Session, fired: Fired) -> None:
        """As every action's. Where nobody follows her, nobody is told."""
        name = service.customer(session, fired.customer_id).name or say(SOURCE, "新客户")
        text = say(
            SOURCE, "客户「%(name)s」：%(words)s\n\n（规则「%(rule)s」）",
            name=name, words=self.notify_staff, rule=fired.name,
        )  # fmt: skip
        for userid in staff.followers(session, fired.customer_id):
            staff.tell(
                session, userid, text, dedupe=f"{fired.source}:{fired.hit_id}:{userid}", customer_id=fired.customer_id
            )

    def words(self, session: Session, lang: str) -> str:
        """As every action's."""
        return say(lang, "通知跟进成员「%(words)s」", words=self.notify_staff)

    @classmethod
    def controls(cls, session: Session, lang: str) -> list[Control]:
        """As every action's."""
        return [Text(cls.key, say(lang, "说什么"))]
