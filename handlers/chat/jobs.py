"""Later work of the chat."""

from sqlalchemy.orm import Session

from bot.core.jobs import job
from handlers.chat import handover, service
from handlers.chat.models import Conversation


@job(priority=100)
def speak_again(session: Session, *, conversation_id: int) -> None:
    """Answer her once the session of a silent person has been ended."""
    conversation = session.get_one(Conversation, conversation_id)
    found = service.locked(session, conversation.open_kfid, conversation.external_userid)
    if found is not None:
        handover.speak_again(session, *found)
