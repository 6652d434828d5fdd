"""`Idempotency-Key`: the same key and content give the first answer again, status included; other content is a 409.

The key's row is written in the transaction of the effect, so both exist or neither; a second request that arrives while
the first is under way waits for its commit. A refused request (4xx) leaves its answer too, in a transaction of its own.
"""

import json
from datetime import timedelta
from typing import Any

from flask import Flask, Response, g, request
from sqlalchemy import UniqueConstraint, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column
from werkzeug.datastructures import FileStorage

from bot.core import clock
from bot.core.crypto import fingerprint
from bot.core.db import At, Base, Id
from bot.core.errors import Conflict, Unacceptable
from bot.web import edge, guard

KEPT_HOURS = 48
LONGEST = 200  # characters of a key


class IdempotencyKey(Base):
    """A key one caller used, and what was answered."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (UniqueConstraint("caller", "key"),)
    id: Mapped[Id]
    caller: Mapped[str]
    key: Mapped[str]
    content: Mapped[str]  # method, path and parsed body, one canonical text
    at: Mapped[At] = mapped_column(index=True)
    status: Mapped[int | None]
    answer: Mapped[str | None]
    content_type: Mapped[str | None]


def install(app: Flask) -> None:
    """Look for the key before a write is validated, keep the answer before it is committed."""
    app.before_request(_repeat)
    app.after_request(_remember)


def forget(session: Session) -> None:
    """Delete keys older than `KEPT_HOURS`."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.at < clock.now() - timedelta(hours=KEPT_HOURS)))


def _repeat() -> Response | None:
    key = request.headers.get("Idempotency-Key")
    if key is None or request.method not in ("POST", "PUT", "PATCH", "DELETE") or not request.path.startswith("/api/"):
        return None
    if not 1 <= len(key) <= LONGEST:
        raise Unacceptable(f"Idempotency-Key has {len(key)} characters, expected 1 to {LONGEST}")
    who = guard.caller()
    if who is None:
        return None
    values = {"caller": who.actor, "key": key, "content": _content(), "at": clock.now()}
    mine = edge.session().scalar(
        insert(IdempotencyKey).values(values).on_conflict_do_nothing().returning(IdempotencyKey.id)
    )
    if mine is not None:
        g.idempotency = values
        return None
    query = select(IdempotencyKey).where(IdempotencyKey.caller == who.actor, IdempotencyKey.key == key)
    first = edge.session().scalar(query)
    if first is None or first.content != values["content"]:
        raise Conflict("this Idempotency-Key was used with other content")
    return Response(first.answer or "", first.status or 200, content_type=first.content_type)


def _remember(response: Response) -> Response:
    values: dict[str, Any] | None = g.get("idempotency")
    if values is None or response.status_code >= 500 or response.status_code == 429:
        return response
    answer = {
        "status": response.status_code,
        "answer": response.get_data(as_text=True),
        "content_type": response.content_type,
    }
    if response.status_code < 400:
        mine = (IdempotencyKey.caller == values["caller"]) & (IdempotencyKey.key == values["key"])
        edge.session().execute(update(IdempotencyKey).where(mine).values(answer))
    else:
        g.refused_key = {**values, **answer}
        edge.after_rollback(
            lambda session: session.execute(insert(IdempotencyKey).values(g.refused_key).on_conflict_do_nothing())
        )
    return response


def _content() -> str:
    if request.mimetype == "multipart/form-data":
        body: Any = [request.form.to_dict(flat=False), {name: _print(file) for name, file in request.files.items()}]
    else:
        body = request.get_json(silent=True)
    parsed = json.dumps(body, sort_keys=True, ensure_ascii=True) if body is not None else request.get_data(as_text=True)
    return f"{request.method} {request.full_path} {parsed}"


def _print(file: FileStorage) -> list[str | None]:
    """A file as far as two are the same."""
    body = file.stream.read()
    file.stream.seek(0)
    return [file.filename, fingerprint(body)]
