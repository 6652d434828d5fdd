"""How far a job has come: our row beside Procrastinate's, which outlives it."""

from typing import Any

from sqlalchemy import BigInteger, Index
from sqlalchemy.orm import Mapped, mapped_column

from bot.core import clock
from bot.core.db import At, Base, Big, Json


class Progress(Base):
    """A chunked job's place, and any job's last error.

    state: waiting, running, done or failed. done, total: what the job counts (recipients, rows); total is None until it
    is known. cursor: where the next chunk begins, as JSON. error: why the last attempt failed.
    """

    __tablename__ = "job_progress"
    __table_args__ = (Index("ix_job_progress_changed_at", "changed_at"),)
    job_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    job: Mapped[str]
    state: Mapped[str]
    done: Mapped[Big]
    total: Mapped[Big | None]
    cursor: Mapped[Json | None]
    error: Mapped[str | None]
    started_at: Mapped[At]
    changed_at: Mapped[At]

    @classmethod
    def begun(cls, job_id: int, job: str) -> "Progress":
        """The row of a job that has done nothing yet."""
        return cls(job_id=job_id, job=job, state="waiting", done=0, started_at=clock.now(), changed_at=clock.now())

    def advance(self, done: int, cursor: Any) -> None:
        """Count `done` more and begin the next chunk at `cursor`."""
        self.done += done
        self.cursor = cursor

    def turn(self, state: str, error: str | None = None) -> None:
        """Take on `state`."""
        self.state, self.error, self.changed_at = state, error, clock.now()
