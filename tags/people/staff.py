"""Members: known by a sync, by a callback that names them or by a live code that lists them (C5)."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field
from sqlalchemy import func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import NotFound
from bot.core.installation import Installation, after_commit, installation_of
from bot.wecom import inbox
from bot.wecom.outbox import post
from tags.people.models import Contact, Staff
from tags.people.names import name_key

Userid = Annotated[str, Field(min_length=1, max_length=64)]  # a member's, in requests and settings
FRESH = timedelta(days=1)  # how long name and supervisor are believed
ACTIVE = 1  # status of `user/get`; 2 disabled, 4 not activated, 5 left


@dataclass(frozen=True)
class MemberAsked:
    """Read this member's name and supervisor (`user/get`)."""

    userid: str


@dataclass(frozen=True)
class Member:
    """What `user/get` says of a member. supervisor: the first of his direct leaders, empty where he has none."""

    userid: str
    name: str
    supervisor: str
    active: bool


def of_get(answer: Mapping[str, Any]) -> Member:
    """The answer of `user/get` (wecom.md §3.17a)."""
    leaders = answer.get("direct_leader") or [""]
    return Member(answer["userid"], answer.get("name") or "", leaders[0], answer.get("status", ACTIVE) == ACTIVE)


def know(session: Session, *userids: str, ask: bool = True) -> None:
    """Know these members from now on. ask: read the names of new ones from WeCom."""
    known: set[str] = installation_of(session).caches.setdefault("staff", set())  # rows of members are never deleted
    new = set(userids) - known
    rows = [{"userid": userid, "name": "", "supervisor": "", "active": True} for userid in sorted(new)]
    if not rows:
        return
    added = session.scalars(insert(Staff).values(rows).on_conflict_do_nothing().returning(Staff.userid))
    for userid in added.all() if ask else ():
        inbox.ask(session, MemberAsked(userid))
    after_commit(session, lambda: known.update(new))


def stale(installation: Installation, userid: str) -> bool:
    """Whether name and supervisor are unknown or older than `FRESH`; asks the table once in that time."""
    read: dict[str, datetime] = installation.caches.setdefault("staff read", {})
    if userid not in read or clock.now() - read[userid] > FRESH:
        with installation.transaction("system") as session:
            read_at = session.scalar(select(Staff.read_at).where(Staff.userid == userid))
        if read_at is None or clock.now() - read_at > FRESH:
            return True
        read[userid] = read_at
    return False


def describe(session: Session, member: Member) -> None:
    """Keep what WeCom says of a member; his supervisor is a member too."""
    know(session, *(one for one in (member.userid, member.supervisor) if one))
    read = {
        "name": member.name, "supervisor": member.supervisor, "active": member.active, "read_at": clock.now(),
        **({"left_at": None} if member.active else {}),
    }  # fmt: skip
    session.execute(update(Staff).where(Staff.userid == member.userid).values(read))


def left(session: Session, userid: str, at: datetime) -> None:
    """He left the corp at `at` (aware UTC), as WeCom lists the customers he left behind."""
    know(session, userid, ask=False)
    session.execute(update(Staff).where(Staff.userid == userid).values(active=False, left_at=at))


def get(session: Session, userid: str) -> Staff:
    """Raises NotFound."""
    found = session.get(Staff, userid)
    if found is None:
        raise NotFound(f"there is no member {userid}")
    return found


def supervisor_of(session: Session, userid: str) -> str:
    """The userid of his supervisor, empty where WeCom names none."""
    return session.scalar(select(Staff.supervisor).where(Staff.userid == userid)) or ""


def names(session: Session, userids: Iterable[str]) -> dict[str, str]:
    """What these members are called: their names, their userids until those are known."""
    known = select(Staff.userid, Staff.name).where(Staff.userid.in_(list(userids)))
    return {userid: name or userid for userid, name in session.execute(known)}


def choices(session: Session, also: Iterable[str] = ()) -> list[tuple[str, str, str]]:
    """(userid, name, its initials) of the active members and of `also`, to choose from."""
    listed = select(Staff).where(or_(Staff.active, Staff.userid.in_(list(also)))).order_by(Staff.userid)
    return [(one.userid, one.name or one.userid, name_key(one.name)) for one in session.scalars(listed)]


def followers(session: Session, customer_id: int) -> Sequence[str]:
    """The userids of the members who have her as a contact now, by when they got her, latest first."""
    hers = Contact.customer_id == customer_id, Contact.status == "active"
    rows = select(Contact.userid).where(*hers).group_by(Contact.userid)
    return session.scalars(rows.order_by(func.max(Contact.added_at).desc(), Contact.userid)).all()


def tell(session: Session, userid: str, text: str, *, dedupe: str, customer_id: int | None) -> None:
    """Write to a member through the app, once for each `dedupe`. customer_id: whom it is about, where it is one."""
    message = {"touser": userid, "msgtype": "text", "text": {"content": text}}
    post(session, "message_send", message, purpose="transactional", dedupe=dedupe, customer_id=customer_id)
