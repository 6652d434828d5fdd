"""Every event may be one a rule waits for; a tag or segment that is gone stops the rules that name it."""

from sqlalchemy.orm import Session

from bot.core.events import Event, on
from tags.autotag import firing, gone
from tags.tagging.events import TagDeleted


@on(Event, cares=firing.concerns)
def happened(session: Session, event: Event) -> None:
    firing.happened(session, event)


@on(TagDeleted)
def deleted(session: Session, event: TagDeleted) -> None:
    gone.look(session, f"tag:{event.tag_id}")
