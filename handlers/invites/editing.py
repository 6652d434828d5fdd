"""A segment group together with what it invites with: made and changed as one (T7)."""

from collections.abc import Sequence

from sqlalchemy.orm import Session

from handlers.invites.models import InvitationText
from tags.groups import editing
from tags.groups.editing import Wanted

SAME = -1  # remind_after_days: leave it as it is


def make(
    session: Session, name: str, wanted: Sequence[Wanted], text: str, remind_after_days: int | None, *, invite: bool
) -> int:
    """Make it; its id. invite: who has a tag already, too. Raises Unacceptable with the bad place."""
    group = editing.make(session, name, wanted, invite=invite)
    session.add(InvitationText(segment_group_id=group.id, text=text, remind_after_days=remind_after_days))
    return group.id


def change(
    session: Session, segment_group_id: int, *, name: str | None, wanted: Sequence[Wanted] | None, text: str | None,
    invite: bool, remind_after_days: int | None = SAME,
) -> None:  # fmt: skip
    """Change what is given (not None). Raises NotFound, Conflict where it is closed, Unacceptable."""
    editing.change(session, segment_group_id, name, wanted, invite=invite)
    said = session.get_one(InvitationText, segment_group_id)
    said.text = said.text if text is None else text
    if remind_after_days != SAME:
        said.remind_after_days = remind_after_days
