"""The database: declarative base, column types, engine. PostgreSQL only, 15 or newer.

Ids are bigint identities, moments `timestamptz` in UTC, money and points bigint. Services take a `Session` and never
commit; the edge (`Installation.transaction`) commits once.
"""

import json
import select
from datetime import datetime
from typing import Annotated, Any, ClassVar

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import BigInteger, Engine, Identity, MetaData, Text, create_engine, event
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP
from sqlalchemy.exc import InvalidatePoolError
from sqlalchemy.orm import DeclarativeBase, mapped_column

Id = Annotated[int, mapped_column(BigInteger, Identity(), primary_key=True)]
At = Annotated[datetime, mapped_column(TIMESTAMP(timezone=True))]
Big = Annotated[int, mapped_column(BigInteger)]
Json = Annotated[Any, mapped_column(JSONB(none_as_null=True))]  # None is NULL, never the JSON value null


OPTIONS = "-c timezone=UTC -c lock_timeout=15s -c idle_in_transaction_session_timeout=60s"
# What libpq does where the database is reached by TCP, so that one which has gone without a word, or a firewall between
# which has forgotten us, is noticed within half a minute. Without it a statement waits for two hours.
WATCHED = {
    "connect_timeout": "5", "keepalives": "1", "keepalives_idle": "10", "keepalives_interval": "5",
    "keepalives_count": "3", "tcp_user_timeout": "25000",
}  # fmt: skip


class Base(DeclarativeBase):
    """Every table of ours; constraint names are fixed so that migrations can name them."""

    type_annotation_map: ClassVar = {str: Text}
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Connection(psycopg.Connection[Any]):
    """A connection on which a statement may wait for the next one or the commit, and whose plans outlive a refusal.

    Upon a rollback psycopg forgets all prepared statements, since the tables they name may be undone too; ours never
    are, and the booking after a refused one would be planned anew.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waiting: list[tuple[str, dict[str, Any]]] = []

    def later(self, statement: str, values: dict[str, Any]) -> None:
        """Run a statement whose answer nobody needs, before the next one or in the commit's round trip.

        What it raises is raised there.
        """
        self._waiting.append((statement, values))

    def cursor(self, *args: Any, **options: Any) -> Any:
        """A cursor; whatever is run on it comes after what waits."""
        waiting, self._waiting = self._waiting, []
        for statement, values in waiting:
            super().cursor().execute(statement, values, prepare=True)
        return super().cursor(*args, **options)

    def commit(self) -> None:
        """Commit what was done and what waits; where that fails, nothing is committed."""
        if not self._waiting:
            super().commit()
            return
        with self.pipeline():
            self.execute("COMMIT", prepare=False)

    def rollback(self) -> None:
        """Undo the transaction, if one is open."""
        self._waiting.clear()
        status = self.pgconn.transaction_status
        if status == TransactionStatus.IDLE:
            return  # as a pool finds most that come back
        if status not in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            super().rollback()
            return
        result = self.pgconn.exec_(b"ROLLBACK")
        if result.status != psycopg.pq.ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result)


def connect(url: str, pool_size: int = 10) -> Engine:
    """An engine whose connections speak UTC and are checked before use, so a restarted database is met anew.

    pool_size: connections kept; as many again may be opened for a burst.
    """
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        hide_parameters=True,  # errors are logged, and values are names, words and phones
        connect_args={**WATCHED, "options": OPTIONS},
        json_serializer=lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    )
    event.listen(engine, "do_connect", lambda dialect, record, args, options: Connection.connect(*args, **options))
    event.listen(engine, "checkout", _check)
    return engine


def _check(connection: psycopg.Connection[Any], record: Any, fairy: Any) -> None:
    """Refuse a connection that its server has closed: an idle one has nothing to read but that.

    A look at the socket, where SQLAlchemy's `pool_pre_ping` asks the server, a round trip for every transaction.
    """
    readable = select.poll()
    try:
        readable.register(connection.fileno(), select.POLLIN)
        while readable.poll(0):
            connection.pgconn.consume_input()  # a notice, say; raises at the end
    except psycopg.OperationalError as error:
        raise InvalidatePoolError from error
