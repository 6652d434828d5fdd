"""Tags of two customers who turn out to be one, and who are taken apart again (C2).

The survivor gets what she lacks; where a single-choice group would be answered twice, her own answer stays. The merged
one keeps her rows as they were, so that undoing a merge finds them.
"""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from bot.core.events import announce
from tags.tagging import push, service
from tags.tagging.events import TagAdded, TagRemoved
from tags.tagging.models import Assignment


def join(session: Session, from_id: int, into_id: int, merge_id: int) -> None:
    """Give the survivor the tags of the customer merged into her; both are locked. Announces TagAdded."""
    hers = service.of(session, into_id)
    ids, answered = {one.tag.id for one in hers}, {one.group.id for one in hers if one.group.single_choice}
    for one in service.of(session, from_id):
        if one.tag.id in ids or one.group.id in answered:
            continue
        was = one.assignment
        row = Assignment(
            customer_id=into_id, tag_id=one.tag.id, source=was.source, at=was.at, expires_at=was.expires_at,
            merge_id=was.merge_id or merge_id,
        )  # fmt: skip
        session.add(row)
        event = service.about(TagAdded, into_id, one.tag, one.group, one.assignment.source)
        announce(session, event, why=f"merge {merge_id}")
    session.flush()
    push.customer(session, into_id)


def part(session: Session, from_id: int, into_id: int, merge_id: int) -> None:
    """Take back what the merge gave and is still there; each one's relations get her own tags. Announces TagRemoved."""
    own = {one.tag.id: one.assignment.merge_id for one in service.of(session, from_id)}
    for one in service.of(session, into_id):
        came_by = one.assignment.merge_id
        if came_by == merge_id or (came_by is not None and own.get(one.tag.id) == came_by):
            session.delete(one.assignment)
            event = service.about(TagRemoved, into_id, one.tag, one.group, one.assignment.source)
            announce(session, event, why=f"merge {merge_id} undone")
    session.flush()
    passed_on = delete(Assignment).where(Assignment.merge_id == merge_id)  # by a survivor who was merged in her turn
    session.execute(passed_on)
    push.customer(session, into_id)
    push.customer(session, from_id)
