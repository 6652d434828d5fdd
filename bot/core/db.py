"""The database: declarative base, column types, engine. PostgreSQL only, 15 or newer.

Ids are bigint identities, moments `timestamptz` in UTC, money and points bigint. Services take a `Session` and never
commit; the edge (`Installation.transaction`) commits once.
"""

import json
import re
import select
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import psycopg
from psycopg.abc import Buffer, PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import fetch_many, send
from psycopg.pq import ExecStatus, TransactionStatus
from psycopg.pq.abc import PGconn, PGresult
from psycopg.types.array import ListDumper
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


Query = tuple[str, dict[str, Any]]  # a statement in psycopg's own form (`%(name)s`) and its parameters by name
Plan = tuple[bytes, tuple[int, ...]]  # a statement in PostgreSQL's form and the types of its parameters
PLANS = 500  # kept by a connection; what is beyond is planned each time (ours are some hundred, their texts fixed)


class Lists(ListDumper):
    """Lists as arrays: numbers and words in one go, where psycopg asks of each whether it needs quotes."""

    def dump(self, obj: list[Any]) -> Buffer | None:
        """As psycopg's."""
        kinds = set(map(type, obj))
        if kinds == {int}:
            return f"{{{','.join(map(str, obj))}}}".encode()
        if kinds == {str}:
            together = '","'.join(obj)
            if together.count('"') == 2 * len(obj) - 2 and "\\" not in together and "\0" not in together:
                return f'{{"{together}"}}'.encode()
        return super().dump(obj)


class Connection(psycopg.Connection[Any]):
    """A connection that sends statements of ours past psycopg's cursors, which cost a booking more than the statements.

    Several go in one round trip, with the BEGIN before them, and one may wait for the next or for the commit. Their
    plans outlive a refusal: upon a rollback psycopg forgets all prepared statements, since the tables they name may be
    undone too; ours never are, and the booking after a refused one would be planned anew.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._waiting: list[Query] = []
        self._plans: dict[Plan, bytes] = {}  # their names

    def later(self, query: Query) -> None:
        """Run a statement whose answer nobody needs, before the next one or in the commit's round trip.

        What it raises is raised there.
        """
        self._waiting.append(query)

    def ask(self, *queries: Query) -> list[list[Any]]:
        """Run statements one after another in one round trip; the rows of each, as tuples.

        Each sees what was committed when its turn came. Raises psycopg's error of the first that fails; what is behind
        that one is not run.
        """
        before, self._waiting = self._waiting, []
        if self.pgconn.transaction_status == TransactionStatus.IDLE and not self.autocommit:
            before.insert(0, (self._get_tx_start_command().decode(), {}))
        return self._send([*before, *queries])[len(before) :]

    def cursor(self, *args: Any, **options: Any) -> Any:
        """A cursor; whatever is run on it comes after what waits."""
        if self._waiting:
            self.ask()
        return super().cursor(*args, **options)

    def commit(self) -> None:
        """Commit what was done and what waits; where that fails, nothing is committed."""
        if self._waiting:
            self.ask(("COMMIT", {}))
        else:
            super().commit()

    def _send(self, queries: Sequence[Query]) -> list[list[Any]]:
        pg, transformer = self.pgconn, Transformer(self)
        ready = []
        for statement, values in queries:
            text, names = _numbered(statement)
            given = transformer.dump_sequence([values[name] for name in names], [PyFormat.AUTO] * len(names))
            ready.append(((text, transformer.types or ()), given, transformer.formats))
        fresh: dict[Plan, bytes] = {}
        asked: list[Plan | None] = []  # for each answer, the plan it says is made; None: it has a query's rows
        try:
            pg.enter_pipeline_mode()
            for plan, given, formats in ready:
                name = self._plans.get(plan) or fresh.get(plan)
                if not name:
                    number = len(self._plans) + len(fresh)
                    name = fresh[plan] = b"fugou_%d" % number if number < PLANS else b""
                    pg.send_prepare(name, *plan)
                    asked.append(plan)
                pg.send_query_prepared(name, given, formats)
                asked.append(None)
            pg.pipeline_sync()
            answers = self.wait(_answers(pg, len(asked)))
            pg.exit_pipeline_mode()
        except BaseException:
            pg.finish()  # nobody could tell what its next answer belongs to
            raise
        rows: list[list[Any]] = []
        for made, answer in zip(asked, answers, strict=True):
            if answer.status not in (ExecStatus.COMMAND_OK, ExecStatus.TUPLES_OK):
                raise psycopg.errors.error_from_result(answer)
            if made is None:
                transformer.set_pgresult(answer)
                rows.append(transformer.load_rows(0, answer.ntuples, tuple))
            elif fresh[made]:
                self._plans[made] = fresh[made]
        return rows

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        if name is None:
            self._plans.clear()  # psycopg forgets all plans of the connection, ours too
        return super()._deallocate(name)

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
        if result.status != ExecStatus.COMMAND_OK:
            raise psycopg.errors.error_from_result(result)


@lru_cache(PLANS)
def _numbered(statement: str) -> tuple[bytes, list[str]]:
    """A statement with `$1` for its first parameter, and the names of its parameters."""
    names: dict[str, int] = {}

    def number(found: re.Match[str]) -> str:
        return f"${names.setdefault(found[1], len(names) + 1)}" if found[1] else "%"

    return re.sub(r"%\((\w+)\)s|%%", number, statement).encode(), list(names)


def _answers(pg: PGconn, count: int) -> PQGen[list[PGresult]]:
    """Send what was queued in a pipeline, and read the answers up to its end."""
    yield from send(pg)
    answers: list[PGresult] = []
    while len(answers) <= count:
        answers += yield from fetch_many(pg)
    return answers[:count]


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
    event.listen(engine, "do_connect", _open)
    event.listen(engine, "checkout", _check)
    return engine


def _open(dialect: Any, record: Any, args: Any, options: Any) -> Connection:
    made = Connection.connect(*args, **options)
    made.adapters.register_dumper(list, Lists)
    return made


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
