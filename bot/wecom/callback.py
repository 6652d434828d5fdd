"""The fast entry, `/wecom/callback/<source>`: one row in the inbox, one commit, an empty 200; nothing else.

The path only selects token and key; every path takes every event, under one digest. Requests that arrive together
share a commit (group commit): each waits for the commit that holds its own row, so 200 means kept, and a commit that
failed is a 503 for its own rows alone.

The POST is answered by one function in two places: WSGI middleware before Flask routes (1.75 times as fast) and a plain
Flask view, so that the route is listed, guarded, tested, and works without the middleware.
"""

import json
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from operator import itemgetter
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
PATIENCE_S = 4.0  # with one commit; WeCom gives up after 5 s and delivers again
TOO_LONG = "the commit takes too long"
SOURCES: tuple[Source, ...] = ("contact", "app", "kf")
INSERT = f"""
    INSERT INTO inbox (digest, key, source, kind, body, received_at, not_before, attempts, error, parked_at)
    SELECT DISTINCT ON (digest)
        decode(digest, 'hex'), key, source, kind, body, at, at, 0, error, CASE WHEN error <> '' THEN at END
    FROM jsonb_to_recordset(%s::jsonb) AS new (
        digest text, key text, source text, kind text, body text, at timestamptz, error text)
    ORDER BY digest, at DESC
    ON CONFLICT (digest) DO UPDATE SET received_at = excluded.received_at, done_at = NULL
        WHERE inbox.kind IN ({", ".join(f"'{kind}'" for kind in HINTS)})
"""  # noqa: S608  # the kinds are constants

Row = dict[str, str]  # a row of that recordset


class NotKept(Exception):
    """The commit that held this row failed; WeCom delivers again."""


@dataclass(slots=True, eq=False)
class _Ticket:
    """A row and its thread, which waits for `turn` until the row is kept, has failed, or is the first of a batch."""

    row: Row
    turn: threading.Lock
    leads: bool = False
    kept: bool = False
    error: Exception | None = None


class GroupCommit:
    """One writer for many threads: the first to come commits its batch, and those who come meanwhile are the next one.

    A row ends as kept, or as the error of its own batch. Rows of a batch are sorted by digest: unsorted, two processes
    with the same digests in other orders deadlock. Each thread waits at a lock of its own: at a common one, those whose
    rows are kept would queue behind the next commit.
    """

    def __init__(self, write: Callable[[list[Row]], None]) -> None:
        self._write = write
        self._mutex = threading.Lock()  # of the three below
        self._pending: list[_Ticket] = []
        self._led = False
        self._begun = 0.0  # when the commit under way began, by the monotonic clock

    def put(self, row: Row) -> bool:
        """Return once the row is committed: True where this thread committed the batch that held it.

        Raises NotKept if that commit failed or takes longer than WeCom waits; then the row may yet be kept.
        """
        ticket = _Ticket(row, threading.Lock())
        ticket.turn.acquire()
        with self._mutex:
            if self._led and time.monotonic() - self._begun > PATIENCE_S:
                raise NotKept(TOO_LONG)
            self._pending.append(ticket)
            ticket.leads = not self._led
            self._led = True
        if not ticket.leads and not ticket.turn.acquire(timeout=PATIENCE_S):
            with self._mutex:
                if ticket in self._pending and not ticket.leads:
                    self._pending.remove(ticket)
        if ticket.leads:
            self._commit()
        if not ticket.kept:
            raise NotKept(str(ticket.error or TOO_LONG)) from ticket.error
        return ticket.leads

    def _commit(self) -> None:
        with self._mutex:
            batch, self._pending = self._pending, []
            self._begun = time.monotonic()
        error: Exception | None = None
        kept = False
        try:
            self._write(sorted((ticket.row for ticket in batch), key=itemgetter("digest")))
            kept = True
        except Exception as failure:
            error = failure
        finally:
            self._hand_over()
            for ticket in batch:
                ticket.kept, ticket.error = kept, error
                if not ticket.leads:
                    ticket.turn.release()

    def _hand_over(self) -> None:
        """Before anybody answers, so that the next batch is on its way to the disk meanwhile."""
        with self._mutex:
            self._led = bool(self._pending)
            if self._led:
                heir = self._pending[0]
                heir.leads = True
                heir.turn.release()


class Writer:
    """Inserts rows on a connection of its own, opened when first needed and again after it broke."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        self._connection: psycopg.Connection[Any] | None = None

    def __call__(self, rows: list[Row]) -> None:
        former = self._connection
        try:
            self._insert(rows)
        except psycopg.OperationalError:
            restarted = former is not None and former.closed  # since the last batch: meet the server anew once
            self.close()
            if not restarted:
                raise
            self._insert(rows)
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
            self._connection = psycopg.connect(
                self._url, autocommit=True, connect_timeout=3, options="-c statement_timeout=4s"
            )  # one statement a batch: a transaction of its own, in one round trip instead of three
        self._connection.execute(INSERT, [json.dumps(rows, ensure_ascii=False)])


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
        row = {
            "digest": digest(plain).hex(), "key": "", "source": source, "kind": "unreadable", "error": "",
            "body": plain.decode("utf-8", "replace").replace("\0", "�"), "at": clock.now().isoformat(),
        }  # fmt: skip
        try:
            message = messages.parse(plain)
        except messages.Unreadable as error:
            return row | {"error": str(error) or "unreadable"}
        return row | {"key": message.key, "kind": type(message).__name__}


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
        start_response(_STATUS[status], [("Content-Length", str(len(said))), *_headers(status)])
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
    return Response(text, status, _headers(status))


def _headers(status: int) -> list[tuple[str, str]]:
    again = [("Retry-After", "2")] if status == 503 else []
    return [*again, ("Content-Type", "text/plain; charset=utf-8")]
