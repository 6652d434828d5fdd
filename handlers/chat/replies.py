"""From what she wrote to what she is told: questions answered in her language, with a menu where that helps (W2)."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from bot.core.i18n import say
from handlers.chat.asking import Asker, questions, vocabulary
from handlers.chat.models import Conversation
from handlers.messaging import rules
from handlers.messaging import service as messaging
from handlers.messaging.rendering import kf_text
from tags.people import service as people

MENU_ITEM_BYTES = 128  # of what a tap says (wecom.md §4.4)
HUMAN = "human"


@dataclass(frozen=True)
class Reply:
    """A text, and whether the menu of questions stands under it."""

    text: str
    menu: bool = False

    def messages(self, locale: str) -> list[dict[str, Any]]:
        """The 微信客服 messages it becomes; a menu's text has room for 1024 bytes, what is longer stands before it."""
        if not self.menu:
            return [kf_text(piece) for piece in rules.pieces(self.text, rules.KF_TEXT_BYTES)]
        if rules.size(self.text) > rules.MENU_HEAD_BYTES:
            return [*Reply(self.text).messages(locale), menu_of(locale, "")]
        return [menu_of(locale, self.text)]

    def message(self, locale: str) -> dict[str, Any]:
        """It as the one message that a code lets us send."""
        return self.messages(locale)[0]


def menu_of(locale: str, head: str) -> dict[str, Any]:
    """The questions as a menu, a person last; a tap writes the words and names the question."""
    listed = [
        {"type": "click", "click": {"id": one.name, "content": rules.fit(one.label(locale), MENU_ITEM_BYTES)}}
        for one in sorted(questions, key=lambda one: one.name == HUMAN)
        if one.label is not None
    ]
    return {"msgtype": "msgmenu", "msgmenu": {"head_content": head, "list": listed}}


def locale_of(session: Session, customer_id: int) -> str:
    """The locale of the language she last wrote in; zh_CN until she has."""
    return people.customer(session, customer_id).language.replace("-", "_") or "zh_CN"


def asker(session: Session, conversation: Conversation, customer_id: int) -> Asker:
    """Her, as the one who asks in this conversation."""
    return Asker(customer_id, locale_of(session, customer_id), conversation)


def understood(text: str, menu_id: str) -> tuple[str, ...] | None:
    """The names of the questions asked, () for a greeting, None for what is not understood; a tap is never a guess."""
    if any(one.name == menu_id for one in questions):
        return (menu_id,)
    names = vocabulary().understand(text)
    return (HUMAN,) if names and HUMAN in names else names


def reply(session: Session, asker: Asker, names: tuple[str, ...]) -> Reply | None:
    """The answer to these questions; to a greeting what can be asked; None where it comes another way (人工)."""
    if not names:
        return Reply(say(asker.locale, "您好，我是小助手。您可以直接问我，也可以点下面的选项："), menu=True)
    asked = [one for one in questions if one.name in names]
    text = "\n\n".join(filter(None, (one.tell(session, asker) for one in asked)))
    return Reply(text, any(one.menu for one in asked)) if text else None


def puzzled(locale: str, *, is_text: bool) -> Reply:
    """What is said where nothing was understood; it names the way to a person (W2)."""
    if is_text:
        return Reply(say(locale, "抱歉，这句我没看懂。您可以点下面的选项，或者回复「人工」找客服："), menu=True)
    return Reply(say(locale, "抱歉，我只看得懂文字。您可以打字问我、点下面的选项，或者回复「人工」找客服："), menu=True)


def send(session: Session, asker: Asker, reply: Reply, *, dedupe: str) -> None:
    """Answer her where she asked, once for each `dedupe`."""
    messages = reply.messages(asker.locale)
    messaging.answer(session, asker.customer_id, asker.conversation.open_kfid, messages, dedupe=dedupe)
