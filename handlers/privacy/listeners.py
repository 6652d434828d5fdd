"""What the words do. Ending takes effect wherever it is understood; beginning again only where nothing else is said."""

from sqlalchemy.orm import Session

from bot.core.events import on
from handlers.chat.events import MessageReceived
from handlers.chat.rules import units
from handlers.privacy.questions import BACK
from tags.consents import service

RESUMING = {units(word) for word in BACK.split("/")}
VERSION = "chat-1"  # of what the chat says to 恢复


@on(MessageReceived)
def wrote(session: Session, event: MessageReceived) -> None:
    assert event.customer_id is not None
    if "unsubscribe" in event.asked:
        service.state(session, event.customer_id, "marketing", "withdrawn", how="chat")
    elif units(event.text) in RESUMING:
        service.state(session, event.customer_id, "marketing", "given", how="chat", version=VERSION)
