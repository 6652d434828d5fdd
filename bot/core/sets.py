"""Many rows in one statement, and one row in the same: rows travel as a JSON document and come out as a table.

    run(session, f"INSERT INTO lots (customer_id, points) SELECT c, p FROM {rows('lots', 'c bigint, p bigint')}",
        lots=document([{"c": 7, "p": 100}]))

The text of a statement does not depend on how many rows there are, so PostgreSQL plans it once a connection.
"""

import json
from collections.abc import Sequence
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

FEW = 8  # rows up to which a statement may promise PostgreSQL few, so that it looks them up one by one


def rows(name: str, record: str, *, few: bool = False) -> str:
    """SQL for the rows of parameter `name` as a table `u` with the columns of `record` (`c bigint, p bigint`).

    few: at most `FEW` rows will come; PostgreSQL expects 100 otherwise, and for those it would read whole tables.
    """
    table = f"jsonb_to_recordset(%({name})s::jsonb) AS u({record})"
    return f"(SELECT * FROM {table} LIMIT {FEW}) AS u" if few else table  # noqa: S608  # names are ours


def document(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as the value of a parameter named in `rows`."""
    return json.dumps(rows)


def run(session: Session, statement: str, **values: Any) -> list[Any]:
    """Run a statement as it stands, in psycopg's own form (`%(name)s`), with parameters by name; its rows as tuples.

    It goes past SQLAlchemy, whose compiler and result objects would cost more than a short booking, in the session's
    transaction all the same. Raises SQLAlchemy's DBAPIError and its kin, as any other statement.
    """
    connection = session.connection()
    driver = connection.connection.driver_connection
    try:
        cursor = driver.execute(statement, values)  # type: ignore[union-attr]  # a session's connection is open
        return cursor.fetchall() if cursor.description else []
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, values, error, psycopg.Error) from error
