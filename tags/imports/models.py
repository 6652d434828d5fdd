"""Tables of imports."""

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class Import(Base):
    """A file being imported, or that was.

    name: of the file. mapping: {field: column}. sheet: how the file is read (`files.Sheet.json`). place: [byte, row]
    where the next chunk begins. job_id: of the worker's job, where it is not a command that runs it.

    state: uploaded (its columns are to be confirmed), checking and checked (a dry run), running, done, stopped (by a
    person), failed (error says why). The counts are of rows: read = new + same + changed + rejected; of a dry run while
    it is checking or checked.
    """

    __tablename__ = "imports"
    __table_args__ = (Index("ix_imports_digest", "digest"),)
    id: Mapped[Id]
    kind: Mapped[str]
    name: Mapped[str]
    digest: Mapped[str]
    mapping: Mapped[Json]
    sheet: Mapped[Json]
    state: Mapped[str]
    place: Mapped[Json]
    read: Mapped[Big]
    new: Mapped[Big]
    same: Mapped[Big]
    changed: Mapped[Big]
    rejected: Mapped[Big]
    error: Mapped[str]
    job_id: Mapped[Big | None]
    created_at: Mapped[At]
    created_by: Mapped[str]
    finished_at: Mapped[At | None]


class Reject(Base):
    """A row that was not taken, by its number in the file. reason: `reasons.Reason.json`.

    What stood in the row is only in the file: it may hold phone numbers.
    """

    __tablename__ = "import_rejects"
    import_id: Mapped[Big] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    row: Mapped[Big] = mapped_column(primary_key=True)
    reason: Mapped[Json]


class Member(Base):
    """A customer whom a row of a file of customers was about: the imported list conditions may name (T4)."""

    __tablename__ = "import_members"
    __table_args__ = (Index("ix_import_members_customer_id", "customer_id"),)
    import_id: Mapped[Big] = mapped_column(ForeignKey("imports.id"), primary_key=True)
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), primary_key=True)
