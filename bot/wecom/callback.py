"""The fast entry, `/wecom/callback/<source>`: one row in the inbox, one commit, an empty 200; nothing else.

The path only selects token and key; every path takes every event, under one digest. Requests that arrive together
share a commit (group commit): each waits for the commit that holds its own row, so 200 means kept, and a commit that
failed is a 503 for its own rows alone.

The POST is answered by one function in two places: WSGI middleware before Flask routes (1.75 times as fast) and a plain
Flask view, so that the route is listed, guarded, tested, and works without the middleware.
"""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import psycopg
import structlog
from flask import Blueprint, Response, request

from bot.core import clock
from bot.core.installation import Installation
from bot.core.settings import Source
from bot.wecom import messages
from bot.wecom.crypto import MOST_BYTES, BadEnvelope, CallbackCrypto
from bot.wecom.inbox import HINTS, digest

log = structlog.get_logger(__name__)

PREFIX = "/wecom/callback/"
SOURCES: tuple[Source, ...] = ("contact", "app", "kf")
INSERT = f"""
    INSERT INTO inbox (digest, key, source, kind, body, received_at, not_before, attempts, error, parked_at)
    SELECT DISTINCT ON (digest) digest, key, source, kind, body, at, at, 0, error, CASE WHEN error <> '' THEN at END
    FROM unnest(%s::bytea[], %s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[], %s::text[])
        AS new (digest, key, source, kind, body, at, error)
    ORDER BY digest, at DESC
    ON CONFLICT (digest) DO UPDATE SET received_at = excluded.received_at, done_at = NULL
        WHERE inbox.kind IN ({", ".join(f"'{kind}'" for kind in HINTS)})
"""  # noqa: S608  # the kinds are constants

Row = tuple[bytes, str, str, str, str, Any, str]


class NotKept(Exception):
    """The commit that held this row failed; WeCom delivers again."""


@dataclass
class _Ticket:
    row: Row
    ended: bool = False
    error: Exception | None = field(default=None)


class GroupCommit:
    """One writer for many threads: whoever gets the lock commits what all waiting threads have put in.

    A ticket ends as kept, or as the error of its own batch. Rows of a batch are sorted by digest: unsorted, two
    processes with the same digests in other orders deadlock.
    """

    def __init__(self, write: Callable[[list[Row]], None]) -> None:
        self._write = write
        self._pending: list[_Ticket] = []
        self._lock = threading.Lock()

    def put(self, row: Row) -> bool:
        """Return once the row is committed: True where this thread committed the batch that held it.

        Raises NotKept if that commit failed.
        """
        ticket, led = _Ticket(row), False
        self._pending.append(ticket)
        time.sleep(0)  # lets threads that are about to append do so: larger batches, fewer commits
        with self._lock:
            if not ticket.ended:
                batch, self._pending = self._pending, []
                self._commit(batch)
                led = True
        if ticket.error is not None:
            raise NotKept(str(ticket.error)) from ticket.error
        return led

    def _commit(self, batch: list[_Ticket]) -> None:
        failure: Exception | None = None
        try:
            self._write(sorted((ticket.row for ticket in batch), key=lambda row: row[0]))
        except Exception as error:
            failure = error
        for ticket in batch:
            ticket.ended, ticket.error = True, failure


class Writer:
    """Inserts rows on a connection of its own, opened when first needed and again after it broke."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._connection: psycopg.Connection[Any] | None = None

    def __call__(self, rows: list[Row]) -> None:
        fresh = self._connection is None or self._connection.closed
        try:
            self._insert(rows)
        except psycopg.OperationalError:
            self.close()
            if fresh:
                raise
            self._insert(rows)  # the server was restarted since the last batch: meet it anew once
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Close the connection; the next batch opens one anew."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _insert(self, rows: list[Row]) -> None:
        if self._connection is None or self._connection.closed:
            self._connection = psycopg.connect(self._url, connect_timeout=3, options="-c statement_timeout=4s")
        self._connection.execute(INSERT, [list(column) for column in zip(*rows, strict=True)])
        self._connection.commit()


class Entry:
    """Takes callbacks of one installation; `write` commits a batch of rows."""

    def __init__(self, installation: Installation, write: Callable[[list[Row]], None]) -> None:
        settings = installation.settings
        settings.require("wecom_corp_id")
        self._crypto = {
            source: CallbackCrypto(*settings.callback_keys(source), receive_id=settings.wecom_corp_id or "")
            for source in SOURCES
        }
        self._installation = installation
        self._keep = GroupCommit(write).put

    def take(self, source: str, query: dict[str, str], body: bytes) -> tuple[int, str]:
        """Keep one delivery: (200, "") once its row is committed, else 4xx or 503 and a sentence."""
        crypto = self._crypto.get(source)  # type: ignore[call-overload]  # an unknown source has no crypto
        if crypto is None:
            return 404, "no such callback"
        try:
            plain = crypto.open(body, *_signed(query))
        except BadEnvelope as error:
            return error.status, str(error)
        try:
            led = self._keep(self._row(source, plain))
        except NotKept as error:
            log.error("callback not kept", error=str(error))
            return 503, "not kept; deliver again"
        if led:  # one hint for the whole batch
            self._installation.wake("hot")
        return 200, ""

    def echo(self, source: str, query: dict[str, str]) -> tuple[int, str]:
        """URL verification: (200, the decrypted echostr) or 4xx and a sentence."""
        crypto = self._crypto.get(source)  # type: ignore[call-overload]
        if crypto is None:
            return 404, "no such callback"
        try:
            return 200, crypto.verify_echo(query.get("echostr", ""), *_signed(query)).decode()
        except (BadEnvelope, UnicodeDecodeError) as error:
            return getattr(error, "status", 400), str(error)

    @staticmethod
    def _row(source: str, plain: bytes) -> Row:
        body = plain.decode("utf-8", "replace").replace("\0", "�")
        try:
            message = messages.parse(plain)
        except messages.Unreadable as error:
            return digest(plain), "", source, "unreadable", body, clock.now(), str(error) or "unreadable"
        return digest(plain), message.key, source, type(message).__name__, body, clock.now(), ""


def middleware(entry: Entry, app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    """WSGI in front of `app`: answers callback POSTs itself, passes everything else on."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if environ["REQUEST_METHOD"] != "POST" or not path.startswith(PREFIX):
            return app(environ, start_response)
        query = {name: values[0] for name, values in parse_qs(environ["QUERY_STRING"]).items()}
        try:
            size = int(environ.get("CONTENT_LENGTH") or 0)
        except ValueError:
            size = -1
        if 0 <= size <= MOST_BYTES:
            status, text = entry.take(path[len(PREFIX) :], query, environ["wsgi.input"].read(size))
        else:
            status, text = 413, f"a callback has at most {MOST_BYTES} bytes"
        said = text.encode()
        start_response(
            _STATUS[status], [("Content-Length", str(len(said))), ("Content-Type", "text/plain; charset=utf-8")]
        )
        return [said]

    return answer


def blueprint(entry: Entry) -> Blueprint:
    """The same as Flask views: GET verifies the address, POST takes a delivery."""
    made = Blueprint("callback", __name__, url_prefix="/wecom/callback")

    @made.get("/<source>")
    def verify(source: str) -> Response:
        return _response(*entry.echo(source, request.args.to_dict()))

    @made.post("/<source>")
    def deliver(source: str) -> Response:
        if (request.content_length or 0) > MOST_BYTES:
            return _response(413, f"a callback has at most {MOST_BYTES} bytes")
        return _response(*entry.take(source, request.args.to_dict(), request.get_data(cache=False)))

    for view in (verify, deliver):
        view.__permission__ = "public"  # type: ignore[attr-defined]  # the signature is the permission
    return made


_STATUS = {
    200: "200 OK", 400: "400 Bad Request", 403: "403 Forbidden", 404: "404 Not Found", 413: "413 Content Too Large",
    503: "503 Service Unavailable",
}  # fmt: skip


def _signed(query: dict[str, str]) -> tuple[str, str, str]:
    return query.get("msg_signature", ""), query.get("timestamp", ""), query.get("nonce", "")


def _response(status: int, text: str) -> Response:
    return Response(text, status, content_type="text/plain; charset=utf-8")
