"""Corp tags as WeCom lists them: what is new, renamed, moved or gone there is so here (T2).

WeCom's answer is complete for what was asked: all, some groups, or some tags. What was known here before it was asked
for, and is not in it or is marked deleted, is gone; what was made meanwhile the answer may lack.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce_all
from bot.core.installation import Installation
from bot.core.jobs import enqueue
from bot.wecom.client import WeCom
from tags.tagging import jobs
from tags.tagging.events import TagDeleted
from tags.tagging.models import Tag, TagGroup

TURN = 0x74616773  # advisory lock ("tags"): readings of tags are taken in one after the other
Answer = dict[str, Any]


@dataclass(frozen=True)
class Listing:
    """What `get_corp_tag_list` gave, and what was asked for (WeCom's ids; neither: everything).

    before: the tags and groups that were known before it was asked (WeCom's ids).
    """

    groups: list[Answer]
    tag_ids: tuple[str, ...] = ()
    group_ids: tuple[str, ...] = ()
    before: frozenset[str] = frozenset()

    @property
    def whole(self) -> bool:
        return not self.tag_ids and not self.group_ids


def read(
    installation: Installation, wecom: WeCom, *, tag_ids: tuple[str, ...] = (), group_ids: tuple[str, ...] = ()
) -> Listing:
    """What WeCom says of these tags, of these groups, or of all; no connection is held meanwhile."""
    with installation.transaction("system") as session:
        tags, groups = _known(session)
    return Listing(
        wecom.contact.get_corp_tag_list(tag_ids, group_ids), tag_ids, group_ids, frozenset(tags.keys() | groups.keys())
    )


def take(session: Session, listing: Listing) -> bool:
    """Make groups and tags here what WeCom says they are; whether anything came or went."""
    session.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
    tags, groups = _known(session)
    changed = False
    listed_groups, listed_tags = set(), set()
    for answer in listing.groups:
        if answer.get("deleted"):
            continue
        group = groups.get(answer["group_id"]) or _make_group(session, answer)
        changed |= answer["group_id"] not in groups
        group.name, group.position = answer["group_name"], answer.get("order", 0)
        listed_groups.add(answer["group_id"])
        for item in answer["tag"]:
            if item.get("deleted"):
                continue
            tag = tags.get(item["id"]) or _make_tag(session, group, item)
            changed |= item["id"] not in tags
            tag.name, tag.position = item["name"], item.get("order", 0)
            listed_tags.add(item["id"])
    gone_groups = [one for wecom_id, one in groups.items()
                   if wecom_id in listing.before - listed_groups
                   and (listing.whole or wecom_id in listing.group_ids)]  # fmt: skip
    gone_tags = [one for wecom_id, one in tags.items()
                 if wecom_id in listing.before - listed_tags and _asked(listing, one, groups)]  # fmt: skip
    forget(session, gone_tags, gone_groups)
    session.flush()
    return changed or bool(gone_groups or gone_tags)


def gone(session: Session, wecom_id: str, *, is_group: bool) -> None:
    """A tag, or a group with its tags, was deleted in WeCom."""
    session.execute(text("SELECT pg_advisory_xact_lock(:turn)"), {"turn": TURN})
    tags, groups = _known(session)
    group, tag = (groups.get(wecom_id), None) if is_group else (None, tags.get(wecom_id))
    forget(session, [tag] if tag else [], [group] if group else [])


def forget(session: Session, tags: Iterable[Tag], groups: Sequence[TagGroup] = ()) -> None:
    """Tags are gone, groups with all their tags; whoever had them loses them, in chunks, by a job.

    WeCom drops a corp group with its last tag, so such a group goes too.
    """
    doomed = {tag.id: tag for tag in tags}
    doomed |= {tag.id: tag for group in groups for tag in alive_tags(session, group.id)}
    for tag in doomed.values():
        tag.deleted_at = clock.now()
        enqueue(session, jobs.strip, tag_id=tag.id)
    session.flush()
    announce_all(session, [_deleted(session, tag) for tag in doomed.values()])
    emptied = [session.get_one(TagGroup, group_id) for group_id in {tag.group_id for tag in doomed.values()}]
    for group in (*groups, *(one for one in emptied if one.kind == "corp" and not alive_tags(session, one.id))):
        group.deleted_at = group.deleted_at or clock.now()
    session.flush()


def alive_tags(session: Session, group_id: int) -> list[Tag]:
    """The tags of a group, in order."""
    rows = select(Tag).where(Tag.group_id == group_id, Tag.deleted_at.is_(None))
    return list(session.scalars(rows.order_by(Tag.position.desc(), Tag.id)))


def _deleted(session: Session, tag: Tag) -> TagDeleted:
    group = session.get_one(TagGroup, tag.group_id)
    by = session.info["actor"]
    return TagDeleted(customer_id=None, tag_id=tag.id, tag=tag.name, group=group.name, source=by)


def _known(session: Session) -> tuple[dict[str, Tag], dict[str, TagGroup]]:
    """Living corp tags and groups by WeCom's ids; at most 3,000 tags (wecom.md §3.5)."""
    tags = session.scalars(select(Tag).where(Tag.wecom_id.is_not(None), Tag.deleted_at.is_(None)))
    groups = session.scalars(select(TagGroup).where(TagGroup.wecom_id.is_not(None), TagGroup.deleted_at.is_(None)))
    return {tag.wecom_id or "": tag for tag in tags}, {group.wecom_id or "": group for group in groups}


def _asked(listing: Listing, tag: Tag, groups: dict[str, TagGroup]) -> bool:
    in_groups = {groups[wecom_id].id for wecom_id in listing.group_ids if wecom_id in groups}
    return listing.whole or tag.wecom_id in listing.tag_ids or tag.group_id in in_groups


def _make_group(session: Session, answer: Answer) -> TagGroup:
    """The group WeCom names: one that is just being made here, whose answer is still to come, or a new one."""
    waiting = select(TagGroup).where(
        TagGroup.kind == "corp", TagGroup.name == answer["group_name"], TagGroup.wecom_id.is_(None),
        TagGroup.deleted_at.is_(None),
    )  # fmt: skip
    group = session.scalar(waiting.limit(1))
    if group is None:
        group = TagGroup(
            kind="corp", name=answer["group_name"], single_choice=False, position=0, created_at=clock.now()
        )
        session.add(group)
    group.wecom_id = answer["group_id"]
    session.flush()
    return group


def _make_tag(session: Session, group: TagGroup, item: Answer) -> Tag:
    waiting = select(Tag).where(
        Tag.group_id == group.id, Tag.name == item["name"], Tag.wecom_id.is_(None), Tag.deleted_at.is_(None)
    )
    tag = session.scalar(waiting.limit(1))
    if tag is None:
        tag = Tag(group_id=group.id, name=item["name"], position=0, created_at=clock.now())
        session.add(tag)
    tag.wecom_id, tag.outbox_id = item["id"], None
    session.flush()
    return tag
