"""Many rows in one statement, and one row in the same: rows travel as a JSON document and come out as a table.

    run(session, f"INSERT INTO lots (customer_id, points) SELECT c, p FROM {rows('lots', 'c bigint, p bigint')}",
        lots=document([{"c": 7, "p": 100}]))

The text of a statement does not depend on how many rows there are, so PostgreSQL plans it once a connection.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import orjson
import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.core.db import Connection

FEW = 8  # rows up to which a statement may promise PostgreSQL few, so that it looks them up one by one


def rows(name: str, record: str, *, few: bool = False) -> str:
    """SQL for the rows of parameter `name` as a table `u` with the columns of `record` (`c bigint, p bigint`).

    few: at most `FEW` rows will come; PostgreSQL expects 100 otherwise, and for those it would read whole tables.
    """
    table = f"jsonb_to_recordset(%({name})s::jsonb) AS u({record})"
    return f"(SELECT * FROM {table} LIMIT {FEW}) AS u" if few else table  # noqa: S608  # names are ours


def document(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as the value of a parameter named in `rows`; moments, dates, tuples and dataclasses may be in them."""
    return orjson.dumps(rows, option=orjson.OPT_UTC_Z).decode()


MANY = 1_000  # rows from which COPY into a temporary table is quicker than a document


def table(session: Session, name: str, record: str, told: Sequence[Sequence[Any]]) -> tuple[str, dict[str, Any]]:
    """Rows as SQL for the table `u`, and the parameters it takes: a document, or what was copied where they are many.

    record: as for `rows`, whose columns the values follow; none is None.
    """
    if len(told) < MANY:
        columns = [column.split()[0] for column in record.split(", ")]
        values = [dict(zip(columns, one, strict=True)) for one in told]
        return rows(name, record, few=len(told) <= FEW), {name: document(values)}
    text = ", ".join(column.split()[0] for column in record.split(", ") if column.endswith(" text"))
    run(session, f"CREATE TEMPORARY TABLE IF NOT EXISTS {name} ({record}) ON COMMIT DROP")
    run(session, f"TRUNCATE {name}")
    page = io.StringIO()
    csv.writer(page).writerows(told)
    copy = f"COPY {name} FROM STDIN (FORMAT csv{f', FORCE_NOT_NULL ({text})' if text else ''})"
    with _driver(session, copy, {}) as driver, driver.cursor().copy(copy) as stream:
        stream.write(page.getvalue())
    run(session, f"ANALYZE {name}")
    return f"{name} AS u", {}


Query = tuple[str, dict[str, Any]]  # a statement in psycopg's own form (`%(name)s`) and its parameters by name


def run(session: Session, statement: str, **values: Any) -> list[Any]:
    """Run a statement as it stands, in psycopg's own form (`%(name)s`), with parameters by name; its rows as tuples.

    It goes past SQLAlchemy, whose compiler and result objects would cost more than a short booking, in the session's
    transaction all the same. Raises SQLAlchemy's DBAPIError and its kin, as any other statement.
    """
    with _driver(session, statement, values) as driver:
        return _rows(driver.execute(statement, values, prepare=True))


def run_later(session: Session, statement: str, **values: Any) -> None:
    """Run a statement whose answer nobody needs, before the session's next one or in the commit's round trip.

    What `run` raises is raised there.
    """
    with _driver(session, statement, values) as driver:
        driver.later(statement, values)


def run_all(session: Session, *queries: Query) -> list[list[Any]]:
    """Run statements one after another in one round trip; the rows of each.

    Each sees what was committed when its turn came: those behind one that waited for a lock see what was written under
    it. Raises as `run` does, for the first that failed.
    """
    if len(queries) < 2:
        return [run(session, statement, **values) for statement, values in queries]
    with _driver(session, "; ".join(statement for statement, _ in queries), {}) as driver:
        with driver.pipeline():
            cursors = [driver.execute(statement, values, prepare=True) for statement, values in queries]
        return [_rows(cursor) for cursor in cursors]


@contextmanager
def _driver(session: Session, statement: str, values: dict[str, Any]) -> Iterator[Connection]:
    """The session's connection as psycopg knows it; its errors become SQLAlchemy's."""
    driver: Any = session.connection().connection.driver_connection
    try:
        yield driver
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, values, error, psycopg.Error, hide_parameters=True) from error


def _rows(cursor: psycopg.Cursor[Any]) -> list[Any]:
    return cursor.fetchall() if cursor.pgresult and cursor.pgresult.nfields else []
