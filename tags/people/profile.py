"""What WeCom says of a customer and her members when it is read (wecom.md §3.3), and who wants to know of it.

@reads_follows(before=mark)
def tags(session: Session, contact: Contact, follow: Follow, at: datetime, before: int) -> None: ...
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from bot.core.feature import Register
from bot.core.installation import Installation
from tags.people.models import Contact

GENDERS = {1: "male", 2: "female"}
CORP_TAG = 1  # the type of a tag both sides know; 2 are the member's own, 3 belong to rule groups


@dataclass(frozen=True)
class Follow:
    """Her relation with one member. created_at: unix seconds. tag_ids: of corp tags, as WeCom names them."""

    userid: str
    created_at: int
    remark: str
    description: str
    mobiles: tuple[str, ...]
    add_way: int
    state: str
    tag_ids: tuple[str, ...]


@dataclass(frozen=True)
class Profile:
    """One external contact with those of her members the app sees. gender: female, male or empty."""

    external_userid: str
    name: str
    avatar: str
    gender: str
    unionid: str
    follows: tuple[Follow, ...]


@dataclass(frozen=True)
class FollowReader:
    """`before(session)` is called before a profile is read, `take` for each relation in it, with what that returned."""

    before: Callable[[Session], Any]
    take: Callable[[Session, Contact, Follow, datetime, Any], None]


Taker = Callable[[Session, Contact, Follow, datetime, Any], None]
follow_readers: Register[FollowReader] = Register("follow readers")


def reads_follows(before: Callable[[Session], Any]) -> Callable[[Taker], Taker]:
    """Mark a function to be told of every active relation that is read, in the transaction that takes it in.

    It gets the contact, what WeCom says, the moment of the change that made us read (aware UTC), and `before`'s answer.
    """
    return lambda function: follow_readers.mark(function, FollowReader(before, function))


@dataclass(frozen=True)
class Reading:
    """Profiles as they were read, with what each follow reader noted before."""

    profiles: tuple[Profile, ...]
    notes: tuple[Any, ...]


def read(installation: Installation, ask: Callable[[], tuple[Profile, ...]]) -> Reading:
    """Let the readers note what they need, then call `ask`, which reads from WeCom, without holding a connection."""
    with installation.transaction("system") as session:
        notes = tuple(one.before(session) for one in follow_readers)
    return Reading(ask(), notes)


def of_get(answer: Mapping[str, Any]) -> Profile:
    """The answer of `externalcontact/get`."""
    follows = answer.get("follow_user", [])
    return _profile(answer["external_contact"], *(_follow(one, _corp_tags(one)) for one in follows))


def of_batch(item: Mapping[str, Any]) -> Profile:
    """One item of `externalcontact/batch/get_by_user`: one relation, tags as bare ids."""
    follow = item["follow_info"]
    return _profile(item["external_contact"], _follow(follow, tuple(follow.get("tag_id", ()))))


def _profile(contact: Mapping[str, Any], *follows: Follow) -> Profile:
    return Profile(
        external_userid=contact["external_userid"],
        name=contact.get("name") or "",
        avatar=contact.get("avatar") or "",
        gender=GENDERS.get(contact.get("gender", 0), ""),
        unionid=contact.get("unionid") or "",
        follows=follows,
    )


def _follow(item: Mapping[str, Any], tag_ids: tuple[str, ...]) -> Follow:
    return Follow(
        userid=item["userid"],
        created_at=int(item.get("createtime") or 0),
        remark=item.get("remark") or "",
        description=item.get("description") or "",
        mobiles=tuple(item.get("remark_mobiles") or ()),
        add_way=int(item.get("add_way") or 0),
        state=item.get("state") or "",
        tag_ids=tag_ids,
    )


def _corp_tags(item: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(tag["tag_id"] for tag in item.get("tags") or () if tag.get("type", CORP_TAG) == CORP_TAG)
