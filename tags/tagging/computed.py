"""Computed tags: written by the engine alone, one of a group at a time (T1)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from sqlalchemy import ColumnElement, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce_all
from bot.core.sets import run
from tags.tagging.events import AboutTag, TagAdded, TagRemoved
from tags.tagging.models import Tag, TagGroup


def put(
    session: Session, group: str, names: Sequence[str], wanted: Mapping[int, str], *, source: str,
    whys: Mapping[int, str] | None = None,
) -> None:  # fmt: skip
    """Give each of these customers (locked survivors) the tag named, of a computed group of `names`, or none for "".

    whys: the reason of each, in words. Announces TagRemoved and TagAdded for those whose tag is another now.
    """
    tags = _made(session, group, names)
    called = {tag_id: name for name, tag_id in tags.items()}
    ids = [tags.get(name) for name in wanted.values()]
    values = {"customers": list(wanted), "wanted": ids, "tags": list(called), "source": source, "now": clock.now()}
    said: defaultdict[str, list[AboutTag]] = defaultdict(list)
    for customer_id, tag_id, put_on in run(session, PUT, **values):
        about = {"customer_id": customer_id, "tag_id": tag_id, "tag": called[tag_id], "group": group, "source": source}
        why = (whys or {}).get(customer_id, "")
        if put_on:
            said[why].append(TagAdded(**about))
        else:
            said[f"single choice: {wanted[customer_id]}" if wanted[customer_id] else why].append(TagRemoved(**about))
    for why, events in sorted(said.items(), key=lambda one: isinstance(one[1][0], TagAdded)):
        announce_all(session, events, why=why)


PUT = """
WITH wanted AS (
    SELECT * FROM unnest(%(customers)s::bigint[], %(wanted)s::bigint[]) AS u(c, t)
), gone AS (
    DELETE FROM tag_assignments a USING wanted WHERE a.customer_id = c AND a.tag_id = ANY(%(tags)s)
    AND a.tag_id IS DISTINCT FROM t RETURNING a.customer_id, a.tag_id
), put AS (
    INSERT INTO tag_assignments (customer_id, tag_id, source, at)
    SELECT c, t, %(source)s, %(now)s FROM wanted WHERE t IS NOT NULL ORDER BY c
    ON CONFLICT DO NOTHING RETURNING customer_id, tag_id
) SELECT customer_id, tag_id, false FROM gone UNION ALL SELECT customer_id, tag_id, true FROM put ORDER BY 1, 3, 2
"""


def _made(session: Session, group: str, names: Sequence[str]) -> dict[str, int]:
    """The ids of a computed group's tags by name, made where they are missing.

    Whoever finds them all locks nothing: orders of different customers would wait for one another here. Whom the tags
    are for is locked before, since those who make the tags wait for one another.
    """
    known = _known(session, group)
    if known.keys() >= set(names):
        return known
    row = {"kind": "computed", "name": group, "single_choice": True, "position": 0, "created_at": clock.now()}
    session.execute(insert(TagGroup).values(row).on_conflict_do_nothing())
    found = session.scalars(select(TagGroup).where(*_called(group)).with_for_update()).one()
    known = _known(session, group)  # somebody may have made them while we waited
    for place, name in enumerate(names):
        if name not in known:
            tag = Tag(group_id=found.id, name=name, position=len(names) - place, created_at=clock.now())
            session.add(tag)
            session.flush()
            known[name] = tag.id
    return known


def _known(session: Session, group: str) -> dict[str, int]:
    query = select(Tag.name, Tag.id).join(TagGroup, TagGroup.id == Tag.group_id).where(*_called(group))
    return dict(session.execute(query).all())


def _called(group: str) -> tuple[ColumnElement[bool], ...]:
    return TagGroup.kind == "computed", TagGroup.name == group, TagGroup.deleted_at.is_(None)


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
