"""Which rows a process of the hot lane has at hand, so that its processes share the tables and read nothing twice.

A row at hand is an advisory lock of one connection. It ends with the process, however that ends, so no lease has to run
out before another may go on. It spares work and decides nothing: who may cause the effect is decided on the row itself.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy import BigInteger, Connection, Engine, column, text
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql import ColumnElement

from bot.core.sets import run

Claim = tuple[int, int]  # the kind of a row, and its id
INBOX, OUTBOX = 20_260_124, 20_260_125  # kinds: the first half of a lock's key; the second is the id, wrapped
WRAP = 2_147_483_647
HELD = text("""SELECT objid::bigint FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2 AND classid = :kind
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())""")
ROWS = "FROM unnest(%(kinds)s::int[], %(ids)s::bigint[]) AS row (kind, id)"
TAKE = f"SELECT kind, id {ROWS} WHERE pg_try_advisory_lock(kind, (id %% {WRAP})::int)"
RELEASE = f"SELECT pg_advisory_unlock(kind, (id %% {WRAP})::int) {ROWS}"


def unclaimed(kind: int, row_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """SQL: no process has the row at hand."""
    return (row_id % WRAP).not_in(HELD.bindparams(kind=kind).columns(column("objid", BigInteger)))


class Claims:
    """Those of one process. Not for several threads at once."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._connection: Connection | None = None

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session on the connection that holds the claims; where it fails they are all given up."""
        if self._connection is None:
            self._connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        try:
            with Session(self._connection) as session:
                yield session
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give up every claim."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.invalidate()  # a pool would keep it open, and its locks with it
            connection.close()


def take(session: Session, wanted: Sequence[Claim]) -> set[Claim]:
    """Claim rows for the process of `session`; those that no other was quicker to claim."""
    return {(kind, row_id) for kind, row_id in run(session, TAKE, **_columns(wanted))} if wanted else set()


def release(session: Session, claims: Sequence[Claim]) -> None:
    """Let go of rows that are dealt with."""
    if claims:
        run(session, RELEASE, **_columns(claims))


def _columns(claims: Sequence[Claim]) -> dict[str, list[int]]:
    return {"kinds": [kind for kind, _ in claims], "ids": [row_id for _, row_id in claims]}
