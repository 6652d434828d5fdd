"""The full pull of members and of everybody who follows whom (C5)."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import Installation
from bot.wecom.client import WeCom
from bot.wecom.errors import Refused
from bot.wecom.pulls import Report, pulls
from tags.people import relations, staff
from tags.people.models import SyncCursor
from tags.people.profile import Profile, of_batch, read

ACTOR = "sync"
MEMBERS_A_CALL = 100  # wecom.md §3.3
NOBODYS, BAD_CURSOR = 84061, 50100


@pulls("members", rank=0)
def members(installation: Installation, wecom: WeCom, report: Report) -> int:
    """Every member who may have customers, with name and supervisor; returns how many."""
    userids = wecom.contact.get_follow_user_list()
    with installation.transaction(ACTOR) as session:
        staff.know(session, *userids, ask=False)
    for done, userid in enumerate(userids, 1):
        found = staff.of_get(wecom.app.user_get(userid))
        with installation.transaction(ACTOR) as session:
            staff.describe(session, found)
        report(done, len(userids))
    return len(userids)


@pulls("contacts", rank=20)
def contacts(installation: Installation, wecom: WeCom, report: Report) -> int:
    """Every relation of every member, a page and a transaction at a time; those WeCom no longer lists end.

    Returns how many relations this run read. A run that was broken off goes on with its page.
    """
    place = _begin(installation, wecom)
    count = 0
    while place["members"]:
        batch = place["members"][:MEMBERS_A_CALL]
        reading = read(installation, partial(_page, wecom, batch, place))
        with installation.transaction(ACTOR) as session:
            relations.take_readings(session, reading)
            if not place["cursor"]:
                relations.end_unlisted(session, batch, datetime.fromisoformat(place["begun"]))
                place["members"] = place["members"][MEMBERS_A_CALL:]
            _keep(session, place)
        count += len(reading.profiles)
        report(count, None)
    with installation.transaction(ACTOR) as session:
        session.execute(delete(SyncCursor).where(SyncCursor.what == "contacts"))
    return count


def _begin(installation: Installation, wecom: WeCom) -> dict[str, Any]:
    """Where a run that was broken off stopped, or the beginning; `begun` is when the pull began (ISO)."""
    with installation.transaction(ACTOR) as session:
        kept = session.get(SyncCursor, "contacts")
    if kept is not None:
        return dict(kept.done)
    return {"members": wecom.contact.get_follow_user_list(), "cursor": "", "begun": clock.now().isoformat()}


def _page(wecom: WeCom, batch: Sequence[str], place: dict[str, Any]) -> tuple[Profile, ...]:
    """The page at `place`, whose cursor moves on; a cursor WeCom has forgotten begins the batch anew."""
    try:
        items, place["cursor"] = wecom.contact.batch_get_by_user(batch, place["cursor"])
    except Refused as error:
        if error.errcode == BAD_CURSOR and place["cursor"]:
            items, place["cursor"] = wecom.contact.batch_get_by_user(batch)
        elif error.errcode == NOBODYS:
            items, place["cursor"] = [], ""
        else:
            raise
    return tuple(of_batch(item) for item in items)


def _keep(session: Session, place: dict[str, Any]) -> None:
    values = {"done": place, "at": clock.now()}
    row = insert(SyncCursor).values(what="contacts", **values)
    session.execute(row.on_conflict_do_update(index_elements=["what"], set_=values))
