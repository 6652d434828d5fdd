"""A deleted tag is taken off everybody who had it, some hundred customers a transaction."""

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.core.events import announce
from bot.core.jobs import Progress
from tags.people import service as people
from tags.tagging.events import TagRemoved
from tags.tagging.models import Assignment, RelationTag, Tag, TagGroup
from tags.tagging.service import about

CHUNK = 200


def chunk(session: Session, progress: Progress, tag_id: int) -> bool:
    """Take the tag off the next customers and announce TagRemoved; whether there are more.

    WeCom drops a deleted tag from its relations by itself; rows of merged customers go without a word.
    """
    tag = session.get_one(Tag, tag_id)
    group = session.get_one(TagGroup, tag.group_id)
    rows = select(Assignment.customer_id).where(Assignment.tag_id == tag_id).order_by(Assignment.customer_id)
    ids = list(session.scalars(rows.limit(CHUNK)))
    if not ids:
        session.execute(delete(RelationTag).where(RelationTag.tag_id == tag_id))
        return False
    standing = {one.id for one in people.lock_rows(session, *ids) if one.merged_into is None}
    which = (Assignment.tag_id == tag_id, Assignment.customer_id.in_(ids))
    for customer_id in session.scalars(delete(Assignment).where(*which).returning(Assignment.customer_id)).all():
        if customer_id in standing:
            announce(session, about(TagRemoved, customer_id, tag, group, "tag deleted"), why="the tag was deleted")
    progress.advance(len(ids), None)
    return True
