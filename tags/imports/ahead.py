"""Reading a file ahead: while a chunk is written, the rows behind it are read by another thread.

Reading cells costs about as much CPU as PostgreSQL needs to write what they say, and it needs no database.
"""

from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.orm import Session

from bot.core.installation import installation_of
from tags.imports import files
from tags.imports.files import Place
from tags.imports.kinds import Batch, Column, Field, Kind
from tags.imports.models import Import
from tags.imports.reasons import Bad, Reason, about
from tags.imports.values import plain


@dataclass(frozen=True)
class _Job:
    """What is to be read: from which place of which file, and how."""

    import_id: int
    source: str
    kind: Kind
    fields: Sequence[Field]
    mapping: dict[str, int]
    sheet: files.Sheet
    most: int

    def read(self, place: Place) -> tuple[Batch, Place | None]:
        rows = files.read(self.sheet, place, self.most, self.mapping.get(self.kind.together))
        heads = {key: self.sheet.heads[at] for key, at in self.mapping.items()}
        batch = Batch(self.import_id, self.source, rows.numbers, {}, heads, rows.broken)
        for one in self.fields:
            if one.key in self.mapping:
                at = self.mapping[one.key]
                batch.columns[one.key] = _read(one, [row[at] if len(row) > at else "" for row in rows.cells], batch)
        if self.kind.shape is not None:
            batch.shape = self.kind.shape(batch)
        return batch, rows.following


@dataclass
class _Ahead:
    """A reader of one process: its thread, and what it was told to read, by import."""

    thread: ThreadPoolExecutor
    waiting: dict[int, tuple[Place, dict[str, int], Future[tuple[Batch, Place | None]]]]


def rows(session: Session, kind: Kind, row: Import, path: Path, most: int) -> tuple[Batch, Place | None]:
    """The next rows of an import, read, and where those behind them begin, which are being read from now on."""
    caches = installation_of(session).caches
    if "imports ahead" not in caches:
        caches["imports ahead"] = _Ahead(ThreadPoolExecutor(1, thread_name_prefix="imports-ahead"), {})
    ahead: _Ahead = caches["imports ahead"]
    job = _Job(
        row.id, row.name, kind, kind.fields(session), dict(row.mapping), files.reopened(path, row.sheet), most
    )  # fmt: skip
    waiting = ahead.waiting.pop(row.id, None)
    if waiting is not None and waiting[:2] == (Place(*row.place), job.mapping):
        batch, following = waiting[2].result()
    else:
        batch, following = job.read(Place(*row.place))
    if following is not None:
        ahead.waiting[row.id] = following, job.mapping, ahead.thread.submit(job.read, following)
    return batch, following


def _read(one: Field, cells: list[str], batch: Batch) -> Column:
    """The values of a column; each cell that can't be read rejects its row."""
    known: dict[str, object] = {"": None}
    column: Column = []
    for at, cell in enumerate(cells):
        if cell not in known:
            text = plain(cell)
            try:
                known[cell] = one.read(text) if text else None
            except Bad as bad:
                known[cell] = about(batch.heads[one.key], cell.strip(), bad.reason)
        value = known[cell]
        if isinstance(value, Reason):
            batch.reject(at, value)
            value = None
        column.append(value)
    return column
