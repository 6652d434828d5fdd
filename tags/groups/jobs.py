"""What takes long or comes by the clock."""

from sqlalchemy.orm import Session

from bot.core.jobs import Progress, chunked, enqueue
from bot.core.ticks import cron, every
from bot.wecom import inbox
from tags.groups import chats, digest, routes


@chunked(lock="segment group:{segment_group_id}")
def place(session: Session, progress: Progress, *, segment_group_id: int, invite: bool) -> bool:
    """Look at everybody whom a segment group concerns since it was made or edited."""
    return routes.place(session, progress, segment_group_id, invite=invite)


@cron("20 4 * * *")
def look_again(session: Session) -> None:
    """Look again at segment groups that go by a segment: whoever comes or goes because its tree was edited, does so
    unannounced."""
    for segment_group_id in routes.routed_by_segment(session):
        enqueue(session, place, segment_group_id=segment_group_id, invite=False)


@every(600)
def sweep(session: Session) -> None:
    """Read the group chats again that no callback has told of for long."""
    chats.sweep(session)


@cron("40 3 * * *")
def look_for_new(session: Session) -> None:
    """Ask for the list of group chats, for those whose beginning no callback told."""
    inbox.ask(session, chats.ChatsAsked())


@cron("30 9 * * *")
def tell_owners(session: Session) -> None:
    """Tell the owners of group chats who sits there and belongs elsewhere."""
    digest.tell_owners(session)
