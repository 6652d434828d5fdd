"""Computed tags: written by the engine alone, one of a group at a time (T1)."""

from collections.abc import Iterator, Sequence

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.sets import run
from tags.tagging import service
from tags.tagging.models import Tag, TagGroup


def keep(session: Session, group: str, names: Sequence[str]) -> dict[str, int]:
    """The ids of a computed group's tags by name, made where they are missing."""
    row = {"kind": "computed", "name": group, "single_choice": True, "position": 0, "created_at": clock.now()}
    session.execute(insert(TagGroup).values(row).on_conflict_do_nothing())
    hers = (TagGroup.kind == "computed") & (TagGroup.name == group) & TagGroup.deleted_at.is_(None)
    found = session.scalars(select(TagGroup).where(hers).with_for_update()).one()
    known = dict(session.execute(select(Tag.name, Tag.id).where(Tag.group_id == found.id)).all())
    for place, name in enumerate(names):
        if name not in known:
            tag = Tag(group_id=found.id, name=name, position=len(names) - place, created_at=clock.now())
            session.add(tag)
            session.flush()
            known[name] = tag.id
    return known


def put(
    session: Session, customer_id: int, tags: dict[str, int], name: str, *, source: str, why: str
) -> tuple[list[int], list[int]]:
    """Give her the tag `name` of a group `keep` knows, or none of it for an empty name; as `service.change`."""
    wanted = [tags[name]] if name else []
    others = set(tags.values()) - set(wanted)
    return service.change(session, customer_id, add=wanted, remove=others, source=source, why=why)


def differing(session: Session, group: str, kept: str) -> Iterator[str]:
    """For `verify`: customers whose tag of the group is not the one they were given.

    kept: SQL of what was given, with the columns customer_id and tagged (a name of a tag, empty for none).
    """
    rows = run(session, DIFFERING.format(kept=kept), group=group)
    for customer_id, given, tag in rows:
        yield f"customer {customer_id} was tagged {given or 'nothing'}, and has {tag or 'nothing'}"


DIFFERING = """
SELECT coalesce(k.customer_id, a.customer_id), coalesce(k.tagged, ''), coalesce(a.name, '')
FROM (SELECT customer_id, tagged FROM ({kept}) AS k WHERE tagged <> '') AS k
FULL JOIN (
    SELECT a.customer_id, t.name FROM tag_assignments a JOIN tags t ON t.id = a.tag_id
    JOIN tag_groups g ON g.id = t.group_id AND g.kind = 'computed' AND g.name = %(group)s
    JOIN customers c ON c.id = a.customer_id AND c.survivor_id IS NULL
) AS a ON a.customer_id = k.customer_id
WHERE a.name IS DISTINCT FROM k.tagged
"""
