"""Group chats as WeCom has them: a reading of one is taken in, and the difference is who joined and who left (T7)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, any_, bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce
from bot.wecom import inbox
from tags.groups import joinways
from tags.groups.events import GroupJoined, GroupLeft
from tags.groups.models import GroupChat, GroupMember
from tags.people.models import Identity
from tags.people.touches import touch

EXTERNAL = 2  # type of a member_list entry: a customer; 1 is a member of the corp
LONG = timedelta(hours=6)  # a chat read longer ago is read again, for a callback may have been lost
AT_ONCE = 100  # at one tick of ten minutes; WeCom allows 10,000 calls a minute (wecom.md §3.2), callbacks come first
GONE = frozenset({40050, 49008})  # errcodes: no such group, dismissed
BEGINNING = datetime.min.replace(tzinfo=UTC)
NEWS = timedelta(hours=1)  # who joined earlier than this before a group was first read is history, not news


@dataclass(frozen=True)
class ChatAsked:
    """Read this group chat (`groupchat/get`) and take it in."""

    chat_id: str


@dataclass(frozen=True)
class ChatsAsked:
    """List all group chats (`groupchat/list`), and read those that nobody has told of."""


@dataclass(frozen=True)
class Seat:
    """A customer in a group, as WeCom lists her. unionid: empty where WeCom gives none."""

    external_userid: str
    unionid: str
    joined_at: datetime
    join_scene: int
    state: str


@dataclass(frozen=True)
class Reading:
    """What `groupchat/get` said when asked at `at` (aware UTC). people: members and customers together."""

    chat_id: str
    name: str
    owner: str
    created_at: datetime
    version: str
    people: int
    seats: tuple[Seat, ...]
    at: datetime


def of_get(group_chat: Mapping[str, Any], at: datetime) -> Reading:
    """The `group_chat` of an answer of `groupchat/get` that was asked for at `at`."""
    members = group_chat.get("member_list") or []
    return Reading(
        chat_id=group_chat["chat_id"],
        name=group_chat.get("name") or "",
        owner=group_chat.get("owner") or "",
        created_at=_moment(group_chat.get("create_time")),
        version=group_chat.get("member_version") or "",
        people=len(members),
        seats=tuple(_seat(one) for one in members if one.get("type") == EXTERNAL),
        at=at,
    )


def sweep(session: Session) -> None:
    """Ask for the group chats that were looked at longest ago, at most `AT_ONCE`, none within `LONG`."""
    old = GroupChat.looked_at.is_(None) | (GroupChat.looked_at < clock.now() - LONG)
    living = select(GroupChat).where(old, GroupChat.dismissed_at.is_(None))
    found = list(session.scalars(living.order_by(GroupChat.looked_at.nulls_first(), GroupChat.chat_id).limit(AT_ONCE)))
    for chat in found:
        chat.looked_at = clock.now()
        inbox.ask(session, ChatAsked(chat.chat_id))


def listed(session: Session, chat_ids: Collection[str]) -> None:
    """WeCom lists these; those that were not known are read."""
    for new in know(session, *chat_ids):
        inbox.ask(session, ChatAsked(new))


def know(session: Session, *chat_ids: str) -> list[str]:
    """Keep a row for each of these groups; returns those nobody had named before."""
    if not chat_ids:
        return []
    rows = [{"chat_id": one, "name": "", "owner": "", "people": 0, "version": ""} for one in sorted(set(chat_ids))]
    new = insert(GroupChat).values(rows).on_conflict_do_nothing().returning(GroupChat.chat_id)
    return list(session.scalars(new))


def take(session: Session, reading: Reading) -> None:
    """Take a reading in; one that is older than the last changes nothing. Announces GroupJoined and GroupLeft."""
    know(session, reading.chat_id)
    chat = session.get_one(GroupChat, reading.chat_id, with_for_update=True, populate_existing=True)
    if chat.read_at is not None and reading.at < chat.read_at:
        return
    news_from = reading.at - NEWS if chat.read_at is None else BEGINNING
    chat.name, chat.owner, chat.people, chat.version = reading.name, reading.owner, reading.people, reading.version
    chat.created_at, chat.read_at, chat.dismissed_at = reading.created_at, reading.at, None
    chat.looked_at = reading.at
    seated = {seat.external_userid: seat for seat in reading.seats}
    members = {one.external_userid: one for one in session.scalars(_members(chat.chat_id))}
    gone = [one for name, one in members.items() if one.left_at is None and name not in seated]
    come = [seat for name, seat in seated.items() if name not in members or members[name].left_at is not None]
    _leave(session, chat, gone, reading.at)
    _join(session, chat, come, members, news_from)
    joinways.follow_states(session, chat.chat_id, {seat.state for seat in reading.seats})
    joinways.refresh_of(session, chat.chat_id)


def dismissed(session: Session, chat_id: str, at: datetime) -> None:
    """The group is no more; everybody has left it. Announces GroupLeft for each."""
    know(session, chat_id)
    chat = session.get_one(GroupChat, chat_id, with_for_update=True, populate_existing=True)
    if chat.dismissed_at is None:
        chat.dismissed_at, chat.people = at, 0
        _leave(session, chat, list(session.scalars(_members(chat_id).where(GroupMember.left_at.is_(None)))), at)
        joinways.refresh_of(session, chat_id)


_IDS = any_(bindparam("ids", type_=ARRAY(BigInteger)))
_THEIRS = select(Identity.value).where(Identity.kind == "external_userid", Identity.customer_id == _IDS)
# By either index: an OR would read all seats there are.
SEATS = select(GroupMember).where(GroupMember.id.in_(
    select(GroupMember.id).where(GroupMember.external_userid.in_(_THEIRS))
    .union(select(GroupMember.id).where(GroupMember.customer_id == _IDS))
)).order_by(GroupMember.id).with_for_update()  # fmt: skip


def relink(session: Session, *customer_ids: int) -> None:
    """Let seats follow the identities of these customers: after an adding, a merge or its undoing."""
    found = list(session.scalars(SEATS, {"ids": list(customer_ids)}))
    owners = _owners(session, "external_userid", [seat.external_userid for seat in found]) if found else {}
    for seat in found:
        seat.customer_id = owners.get(seat.external_userid, seat.customer_id)


def _join(
    session: Session, chat: GroupChat, come: list[Seat], members: dict[str, GroupMember], news_from: datetime
) -> None:
    by_id = _owners(session, "external_userid", [seat.external_userid for seat in come])
    by_unionid = _owners(session, "unionid", [seat.unionid for seat in come if seat.unionid])
    whose = {one.external_userid: by_id.get(one.external_userid) or by_unionid.get(one.unionid) for one in come}
    for seat in sorted(come, key=lambda one: whose[one.external_userid] or 0):  # listeners lock in the order of ids
        row = members.get(seat.external_userid) or GroupMember(
            chat_id=chat.chat_id, external_userid=seat.external_userid
        )
        row.customer_id, row.joined_at, row.left_at = whose[seat.external_userid], seat.joined_at, None
        row.join_scene, row.state = seat.join_scene, seat.state
        session.add(row)
        if seat.joined_at < news_from:
            continue
        if row.customer_id is not None:
            came = {"chat_id": chat.chat_id, "name": chat.name}
            touch(session, row.customer_id, "group", at=seat.joined_at, state=seat.state, detail=came)
        joined = GroupJoined(
            customer_id=row.customer_id, chat_id=chat.chat_id, chat=chat.name, external_userid=seat.external_userid,
            join_scene=seat.join_scene, state=seat.state,
        )  # fmt: skip
        announce(session, joined, at=seat.joined_at)


def _leave(session: Session, chat: GroupChat, gone: list[GroupMember], at: datetime) -> None:
    for row in sorted(gone, key=lambda one: one.customer_id or 0):
        row.left_at = at
        left = GroupLeft(
            customer_id=row.customer_id, chat_id=chat.chat_id, chat=chat.name, external_userid=row.external_userid
        )
        announce(session, left, at=at)


def _owners(session: Session, kind: str, values: Collection[str]) -> dict[str, int]:
    owned = select(Identity.value, Identity.customer_id).where(Identity.kind == kind, Identity.value.in_(values))
    return dict(session.execute(owned).all())


def _members(chat_id: str) -> Any:
    return select(GroupMember).where(GroupMember.chat_id == chat_id)


def _seat(item: Mapping[str, Any]) -> Seat:
    return Seat(
        external_userid=item["userid"],
        unionid=item.get("unionid") or "",
        joined_at=_moment(item.get("join_time")),
        join_scene=int(item.get("join_scene") or 0),
        state=item.get("state") or "",
    )


def _moment(seconds: object) -> datetime:
    return datetime.fromtimestamp(int(str(seconds)), UTC) if seconds else clock.now()
