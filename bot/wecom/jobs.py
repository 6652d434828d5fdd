"""Clock work of the WeCom room: what is long done is forgotten, so that the tables stay small."""

from sqlalchemy.orm import Session

from bot.core.ticks import cron
from bot.wecom import inbox, outbox


@cron("40 3 * * *")
def forget_old_messages(session: Session) -> None:
    inbox.forget_done(session)
    outbox.forget_settled(session)
