"""Segments made, changed and given up; their trees, and the other segments these name (T4)."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
from flask_babel import lazy_gettext as _l
from pyroaring import BitMap
from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Conflict, NotFound, Unacceptable
from bot.core.feature import Register
from bot.core.i18n import say
from bot.core.installation import installation_of
from bot.operators.audit import record_audit
from tags.conditions.kept import Kept, check_unused, keeps, leaves_of, spelled_out
from tags.conditions.tree import Tree, parse, stored
from tags.segments import parts
from tags.segments.index import index_of
from tags.segments.models import PART_BITS, Segment, SegmentPart

Judge = Callable[[Session], None]
judges: Register[Judge] = Register("judges of changed segments")


class NameTaken(Conflict):
    """Another segment in use is called so."""

    def __init__(self, segment_id: int, name: str) -> None:
        super().__init__(f"segment {segment_id} is called {name} already")


def judges_segments(function: Judge) -> Judge:
    """Mark a function that raises where a segment's other tree makes something impossible that goes by it."""
    return judges.mark(function, function)


def make(session: Session, name: str, where: Any) -> Segment:
    """A segment of a condition tree (JSON). Who it means already enters unannounced.

    Raises Unacceptable with pointers into the tree, NameTaken.
    """
    parsed = parse(session, where, "/where")
    _free(session, name, None)
    now, actor = clock.now(), session.info["actor"]
    made = Segment(
        name=name, where=where, version=1, created_at=now, created_by=actor, changed_at=now, changed_by=actor,
        since=now,
    )  # fmt: skip
    session.add(made)
    session.flush()
    _keep(session, made.id, index_of(installation_of(session)).members(spelled_out(session, parsed)))
    record_audit(session, "segment.made", f"segment:{made.id}", None, _facts(made))
    return made


def change(session: Session, segment_id: int, *, name: str | None = None, where: Any = None,
           seen: int | None = None) -> Segment:  # fmt: skip
    """Give a segment another name or tree; who comes or goes by that does so unannounced.

    seen: the version that was changed. Raises NotFound, Conflict where somebody saved meanwhile, what `make` and the
    judges raise.
    """
    if where is not None:  # all, in one order: two changes might make one circle
        every = listing().order_by(Segment.id).with_for_update().execution_options(populate_existing=True)
        session.scalars(every).all()
    found = get(session, segment_id, lock=True)
    if seen is not None and seen != found.version:
        raise Conflict(f"segment {segment_id} was changed meanwhile, by {found.changed_by}", version=found.version)
    before = _facts(found)
    if name is not None:
        _free(session, name, segment_id)
        found.name = name
    if where is not None:
        _no_circle(session, segment_id, parse(session, where, "/where"))
        if where != found.where:
            found.where, found.since = where, clock.now()
            session.flush()
            for judge in judges:
                judge(session)
            _adopt(session, found)
    if _facts(found) != before:
        found.version, found.changed_at, found.changed_by = found.version + 1, clock.now(), session.info["actor"]
        session.flush()
        record_audit(session, "segment.changed", f"segment:{segment_id}", before, _facts(found))
    return found


def remove(session: Session, segment_id: int) -> None:
    """Give a segment up. Raises NotFound, InUse."""
    found = get(session, segment_id, lock=True)
    check_unused(session, "segment", str(segment_id), f"segment {segment_id}")
    found.deleted_at = clock.now()
    session.flush()
    record_audit(session, "segment.deleted", f"segment:{segment_id}", _facts(found), None)


def get(session: Session, segment_id: int, *, lock: bool = False) -> Segment:
    """One that is in use. Raises NotFound."""
    found = session.get(Segment, segment_id, with_for_update=lock)
    if found is None or found.deleted_at is not None:
        raise NotFound(f"there is no segment {segment_id}")
    return found


def listing() -> Select[Segment]:
    """Those in use."""
    return select(Segment).where(Segment.deleted_at.is_(None))


def tree_of(session: Session, segment: Segment) -> Tree:
    """Its tree, also where something it names is gone."""
    return stored(session, segment.where)


@keeps
def kept(session: Session, lang: str) -> Iterable[Kept]:
    """Segments, as users of what their trees name."""
    for one in session.scalars(listing().order_by(Segment.id)):
        called = say(lang, "客群「%(name)s」", name=one.name)
        yield Kept(f"segment:{one.id}", called, f"/console/segments/{one.id}", tree_of(session, one))


def named_in(session: Session, tree: Tree) -> Iterator[int]:
    """The segments a tree names, and those these name, each once."""
    seen: set[int] = set()
    waiting = [tree]
    while waiting:
        for leaf in leaves_of(waiting.pop()):
            its_id = int(leaf.json().get("segment", 0))
            if its_id and its_id not in seen:
                seen.add(its_id)
                yield its_id
                found = session.get(Segment, its_id)
                waiting += [tree_of(session, found)] if found is not None else []


def any_there(session: Session) -> bool:
    """Whether there is a segment."""
    return session.scalar(listing().with_only_columns(Segment.id).limit(1)) is not None


def _adopt(session: Session, segment: Segment) -> None:
    """Count whom it means now as its members without a word, and so in the segments that go by it."""
    index = index_of(installation_of(session))
    for one in session.scalars(listing().order_by(Segment.id)):
        tree = tree_of(session, one)
        if one.id == segment.id or segment.id in named_in(session, tree):
            one.since = clock.now()
            _keep(session, one.id, index.members(spelled_out(session, tree)))


def _keep(session: Session, segment_id: int, members: BitMap) -> None:
    session.execute(delete(SegmentPart).where(SegmentPart.segment_id == segment_id))
    for part in np.unique(np.asarray(members.to_array(), np.uint32) >> PART_BITS).tolist():
        of_part = members & BitMap(range(part << PART_BITS, (part + 1) << PART_BITS))
        parts.write(session, segment_id, part, of_part)


def _no_circle(session: Session, segment_id: int, tree: Tree) -> None:
    if segment_id in named_in(session, tree):
        words = _l("条件绕回了这个客群自己")
        raise Unacceptable.at("/where", f"the tree comes back to segment {segment_id} itself", words)


def _free(session: Session, name: str, segment_id: int | None) -> None:
    taken = session.scalar(listing().where(Segment.name == name))
    if taken is not None and taken.id != segment_id:
        raise NameTaken(taken.id, name)


def _facts(segment: Segment) -> dict[str, Any]:
    return {"name": segment.name, "where": segment.where}
