"""Triggers that note in `membership_changes` whom a statement may have moved in or out of segments (T4).

One row a customer and statement, or, from `MANY` customers on, one row that says: whoever it was. They are statements'
triggers: a set-based import pays one look at what it wrote. Migrations call these; the text of a trigger that stands
changes by a new migration only.
"""

from collections.abc import Mapping
from types import MappingProxyType

MANY = 10_000
NOBODY_SAYS: Mapping[str, str] = MappingProxyType({})

NOTE = """
CREATE FUNCTION watch_{table}_{operation}() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    PERFORM 1 FROM {rows} OFFSET {many} LIMIT 1;
    IF FOUND THEN
        INSERT INTO membership_changes (xid, at, home, key)
        SELECT DISTINCT pg_current_xact_id()::text::bigint, clock_timestamp(), '{table}', {key} FROM {rows};
    ELSE
        INSERT INTO membership_changes (xid, at, home, key, held, customer_id)
        SELECT DISTINCT pg_current_xact_id()::text::bigint, clock_timestamp(), '{table}', {key}, {held}, who
        FROM {rows}, LATERAL (VALUES {who}) AS w(who) WHERE who IS NOT NULL;
    END IF;
    RETURN NULL;
END $body$;
CREATE TRIGGER watch_{operation} AFTER {operation} ON {table} REFERENCING {transition}
FOR EACH STATEMENT EXECUTE FUNCTION watch_{table}_{operation}();
"""
SEEN = {
    "insert": ("NEW TABLE AS changed", "changed"),
    "delete": ("OLD TABLE AS was", "was"),
    "update": ("NEW TABLE AS changed OLD TABLE AS was", "(SELECT * FROM changed UNION ALL SELECT * FROM was) AS seen"),
}


def watch(
    table: str, *operations: str, who: tuple[str, ...] = ("customer_id",), key: str = "''",
    held: Mapping[str, str] = NOBODY_SAYS, rows: str | None = None,
) -> str:  # fmt: skip
    """SQL that watches a table. operations: insert, update, delete.

    who: the columns that name customers. key: an expression by which leaves tell rows apart. held: by operation, an
    expression that says whether she is a member of `key` now (NULL: look). rows: which of the rows to look at.
    """
    made = []
    for operation in operations:
        transition, seen = SEEN[operation]
        filled = NOTE.format(
            table=table, operation=operation, transition=transition, many=MANY, key=key, rows=rows or seen,
            held=held.get(operation, "NULL::boolean"), who=", ".join(f"({column})" for column in who),
        )  # fmt: skip
        made.append(filled)
    return "".join(made)


def unwatch(table: str, *operations: str) -> str:
    """SQL that ends it."""
    return "".join(f"DROP TRIGGER watch_{one} ON {table}; DROP FUNCTION watch_{table}_{one}();" for one in operations)
