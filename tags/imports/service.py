"""Running an import: chunk by chunk, each chunk whole or not at all together with the place it moves to (G5).

A file that was broken off goes on where it was; begun anew it changes nothing, since each row is known by what it says.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Conflict, NotFound
from bot.core.installation import savepoint
from bot.core.sets import run
from bot.operators.audit import record_audit
from tags.imports import ahead, files, kinds
from tags.imports.files import Place, Sheet
from tags.imports.kinds import Batch, Kind, Outcome, Take
from tags.imports.models import Import, Member, Reject
from tags.imports.reasons import Reason

CHUNK = 5_000  # rows a transaction; some two seconds of locks on those they are about
RUNNING = ("checking", "running")
COUNTS = ("read", "new", "same", "changed", "rejected")


class Unmapped(Conflict):
    """A needed field has no column; `lacking` are the keys of which one is needed."""

    def __init__(self, kind: Kind, lacking: tuple[str, ...], heads: tuple[str, ...]) -> None:
        needed = " or ".join(lacking)
        super().__init__(f"no column of the file is {needed}, which {kind.name} need; it has {', '.join(heads)}")
        self.lacking = lacking


def add(session: Session, kind: Kind, name: str, sheet: Sheet, mapping: Mapping[str, int] | None = None) -> Import:
    """A new import of a file; without `mapping` the columns are guessed by their headings."""
    chosen = dict(mapping) if mapping is not None else kinds.guess(sheet.heads, kind.fields(session))
    made = Import(
        kind=kind.name, name=name, digest=sheet.digest, mapping=chosen, sheet=sheet.json(), state="uploaded",
        place=[sheet.body.offset, sheet.body.row], read=0, new=0, same=0, changed=0, rejected=0, error="",
        created_at=clock.now(), created_by=session.info["actor"],
    )  # fmt: skip
    session.add(made)
    session.flush()
    return made


def unfinished(session: Session, kind: Kind, sheet: Sheet, mapping: Mapping[str, int]) -> Import | None:
    """The import of this very file that was broken off."""
    mine = select(Import).where(Import.digest == sheet.digest, Import.kind == kind.name, Import.state == "running")
    return next((one for one in session.scalars(mine.order_by(Import.id.desc())) if one.mapping == mapping), None)


def get(session: Session, import_id: int, *, lock: bool = False) -> Import:
    """Raises NotFound."""
    found = session.get(Import, import_id, with_for_update=lock, populate_existing=lock)
    if found is None:
        raise NotFound(f"no import has the id {import_id}")
    return found


def begin(session: Session, row: Import, *, dry: bool) -> None:
    """Let the file be gone through from its beginning. Raises Unmapped (409) where a needed field has no column."""
    kind = kinds.of_name(row.kind)
    lacking = kinds.missing(kind, row.mapping)
    if lacking:
        raise Unmapped(kind, lacking[0], tuple(row.sheet["heads"]))
    session.execute(delete(Reject).where(Reject.import_id == row.id))
    for name in COUNTS:
        setattr(row, name, 0)
    row.state, row.error, row.finished_at = "checking" if dry else "running", "", None
    row.place = [row.sheet["offset"], row.sheet["row"]]
    if not dry:
        record_audit(session, "import.started", str(row.id), None, {"name": row.name, "kind": row.kind})


def chunk(session: Session, import_id: int, path: Path, take: Take | None = None) -> bool:
    """Take the next rows of an import whose file lies at `path`; False once there are none.

    A dry run does all of it and takes it back, but for what it counted. take: instead of the kind's own.
    """
    row = get(session, import_id, lock=True)
    if row.state not in RUNNING:
        return False
    session.info["actor"] = f"import:{row.id}"
    kind = kinds.of_name(row.kind)
    batch, following = ahead.rows(session, kind, row, path, CHUNK)
    take = take or kind.take
    if row.state == "checking":
        with savepoint(session) as point:
            outcome = take(session, batch)
            point.rollback()
    else:
        outcome = take(session, batch)
        _belong(session, row.id, outcome.customers)
    _count(session, row, batch, outcome)
    if following is not None:
        row.place = [following.offset, following.row]
        return True
    row.place = [row.sheet["size"], row.place[1]]
    row.state, row.finished_at = "checked" if row.state == "checking" else "done", clock.now()
    if row.state == "done":
        record_audit(session, "import.done", str(row.id), None, {"name": row.name, **counts(row)})
    return False


def fail(session: Session, error: str, *, import_id: int, **_job: Any) -> None:
    """What goes through the file has given up; error: why, in a sentence."""
    row = get(session, import_id, lock=True)
    if row.state in RUNNING:
        row.state, row.error, row.finished_at = "failed", error, clock.now()
        record_audit(session, "import.failed", str(row.id), None, {"name": row.name, "error": error, **counts(row)})


def stop(session: Session, row: Import) -> None:
    """Let nothing more of the file be taken in; what was taken in stays. row: locked."""
    if row.state in RUNNING:
        row.state = "uploaded" if row.state == "checking" else "stopped"
        row.finished_at = clock.now()
        record_audit(session, "import.stopped", str(row.id), None, {"name": row.name, **counts(row)})


def counts(row: Import) -> dict[str, int]:
    """How many rows became what."""
    return {name: getattr(row, name) for name in COUNTS}


def share(row: Import) -> float:
    """How much of the file was gone through, 0 to 1."""
    return min(1.0, int(row.place[0]) / max(1, int(row.sheet["size"])))


BELONG = """
INSERT INTO import_members (import_id, customer_id)
SELECT %(import_id)s, c FROM unnest(%(ids)s::bigint[]) AS u(c) ORDER BY c ON CONFLICT DO NOTHING
"""


def _belong(session: Session, import_id: int, customer_ids: set[int]) -> None:
    if customer_ids:
        run(session, BELONG, import_id=import_id, ids=list(customer_ids))


def _count(session: Session, row: Import, batch: Batch, outcome: Outcome) -> None:
    row.read += len(batch.rows)
    row.new += outcome.new
    row.same += outcome.same
    row.changed += outcome.changed
    row.rejected += len(batch.rejected)
    assert row.read == row.new + row.same + row.changed + row.rejected, "a row was neither taken nor rejected"
    session.add_all(
        Reject(import_id=row.id, row=batch.rows[at], reason=because.json()) for at, because in batch.rejected.items()
    )


def rejects(session: Session, row: Import, most: int = 100) -> list[tuple[int, Reason]]:
    """The first rejected rows: number and reason."""
    query = select(Reject.row, Reject.reason).where(Reject.import_id == row.id).order_by(Reject.row).limit(most)
    return [(number, Reason(*because)) for number, because in session.execute(query)]


def rejected_rows(session: Session, row: Import, path: Path) -> Iterator[tuple[list[str], Reason]]:
    """The cells of each rejected row and why; however many, a few at a time."""
    wanted = select(Reject.row, Reject.reason).where(Reject.import_id == row.id).order_by(Reject.row)
    found = iter(session.execute(wanted.execution_options(yield_per=CHUNK)))
    following = next(found, None)
    for number, cells in _cells(files.reopened(path, row.sheet)):
        if following is None:
            return
        if number == following.row:
            yield cells, Reason(*following.reason)
            following = next(found, None)


def _cells(sheet: Sheet) -> Iterator[tuple[int, list[str]]]:
    place: Place | None = sheet.body
    while place is not None:
        rows = files.read(sheet, place, CHUNK)
        yield from zip(rows.numbers, rows.cells, strict=True)
        place = rows.following


def members(session: Session, import_id: int) -> list[int]:
    """The customers its rows were about."""
    return list(session.scalars(select(Member.customer_id).where(Member.import_id == import_id)))
