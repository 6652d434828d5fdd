"""Lists page by cursor: the key of the last row, opaque outside. A row added meanwhile shifts no page."""

import base64
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, or_
from sqlalchemy.orm import Session

from bot.core.errors import Unacceptable


def page(
    session: Session,
    query: Select[Any],
    order: Sequence[ColumnElement[Any]],
    limit: int,
    cursor: str | None,
    *,
    desc: bool = False,
) -> tuple[list[Any], str | None]:
    """At most `limit` rows of `query` after `cursor`, and the cursor of the next page (None at the end).

    order: the columns that order the list, the last one unique; `desc` turns all of them around. A row is whatever the
    query selects, without the key columns. Raises Unacceptable for a cursor that is not one of this list's.
    """
    if cursor is not None:
        query = query.where(_after(order, read(cursor, order), desc))
    query = query.add_columns(*order).order_by(*[column.desc() if desc else column.asc() for column in order])
    found = session.execute(query.limit(limit + 1)).all()
    width = len(order)
    rows = [row[0] if len(row) == width + 1 else row[:-width] for row in found[:limit]]
    following = write(found[limit - 1][-width:]) if len(found) > limit else None
    return rows, following


def _after(order: Sequence[ColumnElement[Any]], key: Sequence[Any], desc: bool) -> ColumnElement[bool]:
    """(a, b) > (x, y) spelled out, which an index on (a, b) serves as well as a row comparison."""
    choices = []
    for at, column in enumerate(order):
        same = [earlier == value for earlier, value in zip(order[:at], key[:at], strict=True)]
        choices.append(and_(*same, column < key[at] if desc else column > key[at]))
    return or_(*choices)


def write(key: Sequence[Any]) -> str:
    """The cursor of the page after the row with this key."""
    plain = [{"t": value.isoformat()} if isinstance(value, datetime) else value for value in key]
    return base64.urlsafe_b64encode(json.dumps(plain, separators=(",", ":")).encode()).rstrip(b"=").decode()


def read(cursor: str, order: Sequence[ColumnElement[Any]]) -> list[Any]:
    """The key a cursor of a list ordered so stands for. Raises Unacceptable."""
    try:
        plain = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
        key = [datetime.fromisoformat(value["t"]) if isinstance(value, dict) else value for value in plain]
        for value, column in zip(key, order, strict=True):
            if not isinstance(value, column.type.python_type):
                raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        raise Unacceptable.at("/cursor", "expected the next_cursor of a page of this list") from None
    return key
