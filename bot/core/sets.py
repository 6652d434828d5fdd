"""Many rows in one statement, and one row in the same: rows travel as a JSON document and come out as a table.

    run(session, f"INSERT INTO lots (customer_id, points) SELECT c, p FROM {rows('lots', 'c bigint, p bigint')}",
        lots=document([{"c": 7, "p": 100}]))

    lots, values = given("lots", "c bigint, p bigint", [{"c": 7, "p": 100}])  # where one or two rows are the usual case
    run(session, f"INSERT INTO lots (customer_id, points) SELECT c, p FROM {lots}", **values)

The text of a statement hardly depends on how many rows there are, so PostgreSQL plans it once a connection.
"""

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any

import orjson
import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from bot.core.db import Connection, Query

LISTED = 2  # rows up to which a statement names each value; every number of them is planned apart
FEW = 8  # rows up to which a statement may promise PostgreSQL few, so that it looks them up one by one


@lru_cache
def rows(name: str, record: str, *, few: bool = False) -> str:
    """SQL for the rows of parameter `name` as a table `u` with the columns of `record` (`c bigint, p bigint`).

    few: at most `FEW` rows will come; PostgreSQL expects 100 otherwise, and for those it would read whole tables.
    """
    table = f"jsonb_to_recordset(%({name})s::jsonb) AS u({record})"
    return f"(SELECT * FROM {table} LIMIT {FEW}) AS u" if few else table  # noqa: S608  # names are ours


@lru_cache
def _listed(name: str, record: str, count: int) -> tuple[str, list[tuple[str, int, str]]]:
    """SQL for so many rows with a parameter for each value; the parameters with the row and column each is of."""
    columns = [column.split() for column in record.split(", ")]
    places = [[(f"{name}_{n}_{column}", n, column) for column, _ in columns] for n in range(count)]
    kinds = [kind for _, kind in columns]
    each = (", ".join(f"%({one})s::{kind}" for (one, *_), kind in zip(row, kinds, strict=True)) for row in places)
    table = f"(VALUES ({'), ('.join(each)})) AS u({', '.join(column for column, _ in columns)})"
    return table, [place for row in places for place in row]


def given(name: str, record: str, told: Sequence[dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    """Rows as SQL for the table `u` with the columns of `record`, which each has, and the parameters it takes.

    Up to `LISTED` rows have a parameter for each value, which costs PostgreSQL half of what a document does.
    """
    if 0 < len(told) <= LISTED:
        table, places = _listed(name, record, len(told))
        return table, {parameter: _text(told[n][column]) for parameter, n, column in places}
    return rows(name, record, few=len(told) <= FEW), {name: document(told)}


def _text(value: Any) -> str | None:
    """A value as PostgreSQL reads it; were a number given as one, small and big ones would be planned apart."""
    if value is None or isinstance(value, str):
        return value
    return document(value) if isinstance(value, dict) else str(value)


def document(rows: Sequence[dict[str, Any]] | dict[str, Any]) -> str:
    """Rows, or a row's own document, as a value; moments, dates, tuples and dataclasses may be in them."""
    return orjson.dumps(rows, option=orjson.OPT_UTC_Z).decode()


MANY = 1_000  # rows from which COPY is quicker than a document


def copy(session: Session, table: str, columns: str, told: Sequence[Sequence[Any]]) -> None:
    """Copy rows into a table. columns: their names, whose values the rows have; none is None.

    Raises IntegrityError where a row may not be there; all of them are not then.
    """
    page = io.StringIO()
    csv.writer(page).writerows(told)
    statement = f"COPY {table} ({columns}) FROM STDIN (FORMAT csv, FORCE_NOT_NULL ({columns}))"
    with _driver(session, statement, {}) as driver, driver.cursor().copy(statement) as stream:
        stream.write(page.getvalue())


def run(session: Session, statement: str, **values: Any) -> list[Any]:
    """Run a statement as it stands, in psycopg's own form (`%(name)s`), with parameters by name; its rows as tuples.

    It goes past SQLAlchemy, whose compiler and result objects would cost more than a short booking, in the session's
    transaction all the same. Raises SQLAlchemy's DBAPIError and its kin, as any other statement.
    """
    [found] = run_all(session, (statement, values))
    return found


def run_later(session: Session, statement: str, **values: Any) -> None:
    """Run a statement whose answer nobody needs, before the session's next one or in the commit's round trip.

    What `run` raises is raised there.
    """
    with _driver(session, statement, values) as driver:
        driver.later((statement, values))


def run_all(session: Session, *queries: Query) -> list[list[Any]]:
    """Run statements one after another in one round trip; the rows of each.

    Each sees what was committed when its turn came: those behind one that waited for a lock see what was written under
    it. Raises as `run` does, for the first that failed.
    """
    with _driver(session, "; ".join(statement for statement, _ in queries), {}) as driver:
        return driver.ask(*queries)


@contextmanager
def _driver(session: Session, statement: str, values: dict[str, Any]) -> Iterator[Connection]:
    """The session's connection as psycopg knows it; its errors become SQLAlchemy's."""
    driver: Any = session.connection().connection.driver_connection
    try:
        yield driver
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, values, error, psycopg.Error, hide_parameters=True) from error
