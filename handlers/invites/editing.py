"""A segment group with what it invites with: made, changed and closed as one; each is in the audit (T7, G4)."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from bot.operators.audit import record_audit
from handlers.invites.models import InvitationText
from tags.groups import editing, joinways, routes
from tags.groups.editing import Wanted

SAME = -1  # remind_after_days: leave it as it is


def make(
    session: Session, name: str, wanted: Sequence[Wanted], text: str, remind_after_days: int | None, *, invite: bool
) -> int:
    """Make it; its id. invite: who has a tag already, too. Raises Unacceptable with the bad place."""
    group = editing.make(session, name, wanted, invite=invite)
    session.add(InvitationText(segment_group_id=group.id, text=text, remind_after_days=remind_after_days))
    session.flush()
    record_audit(session, "segment_group.made", f"segment_group:{group.id}", None, _facts(session, group.id))
    return group.id


def change(
    session: Session, segment_group_id: int, *, name: str | None, wanted: Sequence[Wanted] | None, text: str | None,
    invite: bool, remind_after_days: int | None = SAME,
) -> None:  # fmt: skip
    """Change what is given (not None). Raises NotFound, Conflict where it is closed, Unacceptable."""
    routes.get(session, segment_group_id)
    before = _facts(session, segment_group_id)
    editing.change(session, segment_group_id, name, wanted, invite=invite)
    said = session.get_one(InvitationText, segment_group_id)
    said.text = said.text if text is None else text
    if remind_after_days != SAME:
        said.remind_after_days = remind_after_days
    after = _facts(session, segment_group_id)
    record_audit(session, "segment_group.changed", f"segment_group:{segment_group_id}", before, after)


def close(session: Session, segment_group_id: int) -> None:
    """Close it; a second call changes nothing. Raises NotFound."""
    group = routes.get(session, segment_group_id)
    if group.closed_at is None:
        before = _facts(session, segment_group_id)
        editing.close(session, segment_group_id)
        record_audit(session, "segment_group.closed", f"segment_group:{segment_group_id}", before, None)


def _facts(session: Session, segment_group_id: int) -> dict[str, Any]:
    said = session.get_one(InvitationText, segment_group_id)
    return {
        "name": routes.get(session, segment_group_id).name, "text": said.text,
        "remind_after_days": said.remind_after_days,
        "routes": [
            {
                "tag_id": one.tag_id, "segment_id": one.segment_id, "capacity": one.capacity,
                "when_full": one.when_full, "chats": [chat.chat_id for chat in joinways.fills(session, one.id)],
            }
            for one in routes.routes_of(session, segment_group_id)
        ],
    }  # fmt: skip
