"""Triggers that note in `membership_changes` whom a statement may have moved in or out of segments (T4).

One row a customer and statement, or, from `MANY` customers on, one row that says: whoever it was. They are statements'
triggers: a set-based import pays one look at what it wrote. Migrations call these; the text of a trigger that stands
changes by a new migration only.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

MANY = 10_000
NOBODY_SAYS: Mapping[str, str] = MappingProxyType({})

NOTE = """
CREATE OR REPLACE FUNCTION watch_{table}_{operation}() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    INSERT INTO membership_changes (xid, at, home, key, held, customer_id)
    SELECT pg_current_xact_id()::text::bigint, clock_timestamp(), '{table}', key, held, who FROM (
        SELECT DISTINCT {key} AS key, CASE WHEN few THEN {held} END AS held, CASE WHEN few THEN who END AS who
        FROM (SELECT NOT EXISTS (SELECT FROM {rows} OFFSET {many}) AS few) AS size,
            {rows}, LATERAL (VALUES {who}) AS w(who)
        WHERE who IS NOT NULL OR NOT few
    ) AS once;
    RETURN NULL;
END $body$;
"""
TRIGGER = """
CREATE TRIGGER watch_{operation} AFTER {operation} ON {table} REFERENCING {transition}
FOR EACH STATEMENT EXECUTE FUNCTION watch_{table}_{operation}();
"""
SEEN = {
    "insert": ("NEW TABLE AS changed", "changed"),
    "delete": ("OLD TABLE AS was", "was"),
    "update": ("NEW TABLE AS changed OLD TABLE AS was", "(SELECT * FROM changed UNION ALL SELECT * FROM was) AS seen"),
}


ALL = ("insert", "update", "delete")
MOVED = """(
    SELECT c.id, c.survivor_id, w.survivor_id AS former,
        CASE WHEN c.survivor_id IS DISTINCT FROM w.survivor_id THEN 'merged' ELSE '' END AS key
    FROM changed c JOIN was w USING (id)
    WHERE (c.gender, c.city, c.language, c.name, c.birthday, c.phone, c.merged_into, c.survivor_id)
        IS DISTINCT FROM (w.gender, w.city, w.language, w.name, w.birthday, w.phone, w.merged_into, w.survivor_id)
) AS moved"""  # not when she was last seen, which every message moves
PLAIN = ("contacts", "touches", "orders", "rfm_scores", "lifecycles", "field_values", "consents")


def note(
    table: str, *operations: str, who: tuple[str, ...] = ("customer_id",), key: str = "''",
    held: Mapping[str, str] = NOBODY_SAYS, rows: str | None = None,
) -> str:  # fmt: skip
    """SQL of what the triggers of a table do. operations: insert, update, delete.

    who: the columns that name customers. key: an expression by which leaves tell rows apart. held: by operation, an
    expression that says whether she is a member of `key` now (NULL: look). rows: which of the rows to look at.
    """
    made = []
    for operation in operations:
        _, seen = SEEN[operation]
        filled = NOTE.format(
            table=table, operation=operation, many=MANY, key=key, rows=rows or seen,
            held=held.get(operation, "NULL::boolean"), who=", ".join(f"({column})" for column in who),
        )  # fmt: skip
        made.append(filled)
    return "".join(made)


def watch(table: str, *operations: str, **told: Any) -> str:
    """SQL that watches a table; `told` is as for `note`."""
    triggers = [TRIGGER.format(table=table, operation=one, transition=SEEN[one][0]) for one in operations]
    return note(table, *operations, **told) + "".join(triggers)


def first(made: Callable[..., str]) -> str:
    """SQL of `note` or `watch` for the tables that were watched first (migration 0022)."""
    lasting = {"insert": "CASE WHEN expires_at IS NULL THEN true END", "delete": "false"}
    return "".join((
        made("customers", "insert", who=("id",), key="'made'"),
        made("customers", "update", who=("id", "survivor_id", "former"), key="key", rows=MOVED),
        made("customers", "delete", who=("id", "survivor_id"), key="'merged'"),
        *(made(table, *ALL) for table in PLAIN),
        made("tag_assignments", *ALL, key="tag_id::text", held=lasting),
        made("group_members", *ALL, key="chat_id"),
        made("import_members", *ALL, key="import_id::text"),
        made("points_accounts", *ALL, who=("customer_id", "owner_id")),
        made("events", "insert", key="name"),
    ))  # fmt: skip


def unwatch(table: str, *operations: str) -> str:
    """SQL that ends it."""
    return "".join(f"DROP TRIGGER watch_{one} ON {table}; DROP FUNCTION watch_{table}_{one}();" for one in operations)
