"""`Idempotency-Key`: the same key and content give the first answer again, status included; other content is a 409.

The key's row is written in the transaction of the effect, so both exist or neither; a second request that arrives while
the first is under way waits for its commit. A refused request (4xx) leaves its answer too, in a transaction of its own.
Where the effect stands before the answer (`bot.web.at_once`) the key does too: until the answer is kept, or for ever if
the process died before that, a second request is a 409.
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
    content: Mapped[str]  # keyed hash of method, path and parsed body: a body may have a phone in it (S1)
    at: Mapped[At] = mapped_column(index=True)
    status: Mapped[int | None]
    answer: Mapped[str | None]
    content_type: Mapped[str | None]


def install(app: Flask) -> None:
    """Look for the key before a write is validated, keep the answer before it is committed."""
    app.before_request(_repeat)
    app.after_request(_remember)


def claim(key: str, content: str) -> dict[str, Any] | None:
    """Take the caller's key in the transaction of its effect; returns the row's values, None where it is taken."""
    values = {"caller": guard.principal().actor, "key": key, "content": content, "at": clock.now()}
    row = insert(IdempotencyKey).values(values).on_conflict_do_nothing().returning(IdempotencyKey.id)
    row_id = edge.session().scalar(row)
    return None if row_id is None else {"id": row_id, **values}


def release(session: Session, claimed: dict[str, Any]) -> None:
    """Give a claimed key back, so that it may be used again."""
    session.execute(delete(IdempotencyKey).where(IdempotencyKey.id == claimed["id"]))


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
    content = _content()
    g.idempotency = claim(key, content)
    if g.idempotency is not None:
        return None
    query = select(IdempotencyKey).where(IdempotencyKey.caller == who.actor, IdempotencyKey.key == key)
    first = edge.session().scalar(query)
    if first is None or first.content != content:
        raise Conflict("this Idempotency-Key was used with other content")
    if first.status is None:
        raise Conflict("the first request with this Idempotency-Key is under way, or was cut off after it took effect")
    return Response(first.answer or "", first.status, content_type=first.content_type)


def _remember(response: Response) -> Response:
    values: dict[str, Any] | None = g.get("idempotency")
    if values is None:
        return response
    answer = {
        "status": response.status_code,
        "answer": response.get_data(as_text=True),
        "content_type": response.content_type,
    }
    kept = update(IdempotencyKey).where(IdempotencyKey.id == values["id"]).values(answer)
    refused = insert(IdempotencyKey).values(values | answer).on_conflict_do_nothing()
    if response.status_code < 400:
        edge.session().execute(kept)
    elif edge.committed():
        edge.after_rollback(lambda session: session.execute(kept))
    elif response.status_code < 500 and response.status_code != 429:
        edge.after_rollback(lambda session: session.execute(refused))
    return response


def _content() -> str:
    if request.mimetype == "multipart/form-data":
        body: Any = [request.form.to_dict(flat=False), {name: _print(file) for name, file in request.files.items()}]
    else:
        body = request.get_json(silent=True)
    parsed = json.dumps(body, sort_keys=True, ensure_ascii=True) if body is not None else request.get_data(as_text=True)
    return edge.installation().vault.lookup(f"{request.method} {request.full_path} {parsed}").hex()


def _print(file: FileStorage) -> list[str | None]:
    """A file as far as two are the same."""
    body = file.stream.read()
    file.stream.seek(0)
    return [file.filename, fingerprint(body)]
