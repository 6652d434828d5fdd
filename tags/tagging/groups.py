"""Tag groups and tags made and deleted here, each in the audit; corp ones are written to WeCom at once (T1, T2).

What is made here stands in WeCom only when its call is settled: until then a corp tag has no id there and can't be
assigned, and what WeCom refuses is taken back. A caller who needs WeCom's answer goes through `bot.web.at_once`.
"""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.operators.audit import record_audit
from bot.wecom.outbox import OutboxRow, post
from tags.conditions.kept import check_unused
from tags.tagging import corp
from tags.tagging.errors import Computed, NameTaken, NoGroup, NoTag, NotThereYet, TwoChoices
from tags.tagging.models import Assignment, Tag, TagGroup

GONE_CODES = (40068,)  # the tag to be deleted is not in WeCom any more


def create_group(session: Session, name: str, kind: str, single_choice: bool, tags: Sequence[str]) -> TagGroup:
    """Make a group with its tags (names); a corp group's call is posted. Raises NameTaken (409)."""
    row = {"kind": kind, "name": name, "single_choice": single_choice, "position": 0, "created_at": clock.now()}
    taken = select(TagGroup.id).where(TagGroup.kind == kind, TagGroup.name == name, TagGroup.deleted_at.is_(None))
    group_id = None
    if session.scalar(taken.limit(1)) is None:
        group_id = session.scalar(insert(TagGroup).values(row).on_conflict_do_nothing().returning(TagGroup.id))
    if group_id is None:
        raise NameTaken("tag group", name)
    made = [_new_tag(session, group_id, one) for one in dict.fromkeys(tags)]
    group = session.get_one(TagGroup, group_id)
    if kind == "corp":
        _to_wecom(session, made, {"group_name": name})
    facts = {"name": name, "kind": kind, "single_choice": single_choice, "tags": [tag.name for tag in made]}
    record_audit(session, "tag_group.made", f"tag_group:{group_id}", None, facts)
    return group


def create_tag(session: Session, group_id: int, name: str) -> Tag:
    """Make a tag in a group; in a corp group its call is posted. Locks the group.

    Raises NoGroup, Computed, NameTaken, NotThereYet (the group is just being made).
    """
    group = group_of(session, group_id, lock=True)
    if group.kind == "computed":
        raise Computed("tag group", group_id)
    if any(tag.name == name for tag in corp.alive_tags(session, group_id)):
        raise NameTaken("tag of this group", name)
    if group.kind == "corp" and group.wecom_id is None:
        raise NotThereYet("tag group", group_id)
    tag = _new_tag(session, group_id, name)
    if group.wecom_id is not None:
        _to_wecom(session, [tag], {"group_id": group.wecom_id})
    record_audit(session, "tag.made", f"tag:{tag.id}", None, {"name": name, "group": group.name})
    return tag


def delete_tag(session: Session, tag_id: int) -> None:
    """Delete a tag; a corp tag goes when the call that is posted is settled.

    Raises NoTag, Computed, NotThereYet, InUse where rules, segments or segment groups name it.
    """
    tag = session.get(Tag, tag_id)
    if tag is None or tag.deleted_at is not None:
        raise NoTag(tag_id)
    group = session.get_one(TagGroup, tag.group_id)
    if group.kind == "computed":
        raise Computed("tag", tag_id)
    check_unused(session, "tag", str(tag_id), f"the tag {tag.name}")
    if group.kind == "profile":
        corp.forget(session, [tag])
    elif tag.wecom_id is None:
        raise NotThereYet("tag", tag_id)
    else:
        post(session, "del_corp_tag", {"tag_id": [tag.wecom_id]}, purpose="sync")
    record_audit(session, "tag.deleted", f"tag:{tag_id}", {"name": tag.name, "group": group.name}, None)


def set_single_choice(session: Session, group_id: int, single_choice: bool) -> TagGroup:
    """From now on assigning one tag removes its siblings, or not.

    Raises NoGroup, TwoChoices (409) where somebody has two already: which one stays, only a person knows.
    """
    group = group_of(session, group_id, lock=True)
    doubles = (
        select(Assignment.customer_id)
        .join(Tag)
        .where(Tag.group_id == group_id, Tag.deleted_at.is_(None))
        .group_by(Assignment.customer_id)
        .having(func.count() > 1)
    )
    count = session.scalar(select(func.count()).select_from(doubles.subquery())) or 0
    if single_choice and count:
        raise TwoChoices(count)
    before, after = ({"name": group.name, "single_choice": one} for one in (group.single_choice, single_choice))
    group.single_choice = single_choice
    record_audit(session, "tag_group.changed", f"tag_group:{group_id}", before, after)
    return group


def group_of(session: Session, group_id: int, *, lock: bool = False) -> TagGroup:
    """A group that is there. Raises NoGroup."""
    group = session.get(TagGroup, group_id, with_for_update=lock or None, populate_existing=lock)
    if group is None or group.deleted_at is not None:
        raise NoGroup(group_id)
    return group


def all_groups(session: Session) -> list[tuple[TagGroup, list[Tag]]]:
    """Every group with its tags, in order."""
    groups = session.scalars(
        select(TagGroup).where(TagGroup.deleted_at.is_(None)).order_by(TagGroup.position.desc(), TagGroup.id)
    )
    tags = session.scalars(select(Tag).where(Tag.deleted_at.is_(None)).order_by(Tag.position.desc(), Tag.id))
    by_group: dict[int, list[Tag]] = {}
    for tag in tags:
        by_group.setdefault(tag.group_id, []).append(tag)
    return [(group, by_group.get(group.id, [])) for group in groups]


def made_in_wecom(session: Session, row: OutboxRow) -> None:
    """`add_corp_tag` is settled: WeCom's ids are kept; what it refused never was."""
    tags = list(session.scalars(select(Tag).where(Tag.outbox_id == row.id)))
    if row.state == "sent" and row.answer is not None:
        made = row.answer["tag_group"]
        corp.take(session, corp.Listing([made], tag_ids=tuple(tag["id"] for tag in made["tag"])))
    elif row.state == "refused":
        for tag in tags:
            tag.deleted_at, tag.outbox_id = clock.now(), None
        session.flush()
        for group in {session.get_one(TagGroup, tag.group_id) for tag in tags}:
            if group.wecom_id is None:
                group.deleted_at = clock.now()


def deleted_in_wecom(session: Session, row: OutboxRow) -> None:
    """`del_corp_tag` is settled: the tags are gone, also where WeCom says they were gone before."""
    if row.state == "sent" or row.errcode in GONE_CODES:
        for wecom_id in row.payload["tag_id"]:
            corp.gone(session, wecom_id, is_group=False)


def _new_tag(session: Session, group_id: int, name: str) -> Tag:
    tag = Tag(group_id=group_id, name=name, position=0, created_at=clock.now())
    session.add(tag)
    session.flush()
    return tag


def _to_wecom(session: Session, tags: list[Tag], where: dict[str, str]) -> None:
    payload = {**where, "tag": [{"name": tag.name} for tag in tags]}
    row_id = post(session, "add_corp_tag", payload, purpose="sync")
    for tag in tags:
        tag.outbox_id = row_id
    session.flush()
