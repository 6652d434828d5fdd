"""Refusals as answers: RFC 9457 problem documents, or a page where one was asked for; only this file knows which."""

import uuid
from collections.abc import Iterator
from typing import Any

import structlog
from flask import Flask, Response, g, json, request
from flask_babel import lazy_gettext as _l
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from sqlalchemy.exc import InterfaceError, OperationalError
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Fault, Problem, Unacceptable
from bot.web import refusals

log = structlog.get_logger(__name__)

PROBLEM_JSON = "application/problem+json"
PASSING = (OperationalError, InterfaceError)  # the database is away, is full, or broke a deadlock
AGAIN_S = 2
KEY_EXPECTED = "expected the header Authorization: Bearer KEY, with a key of fugou apikey create that is not revoked"


def install(app: Flask) -> None:
    """Give every request of `app` an id and every error an answer."""

    @app.before_request
    def name_request() -> None:
        g.request_id = uuid.uuid4().hex
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=g.request_id)

    @app.after_request
    def tell_id(response: Response) -> Response:
        response.headers["X-Request-Id"] = g.get("request_id", "")
        return response

    @app.errorhandler(Problem)
    def refused(error: Problem) -> BaseResponse:
        if refusals.is_page():
            return refusals.answer(error)
        return document(error.status, error.title, error.detail, error)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> BaseResponse:
        failed = getattr(error, "original_exception", None)  # what broke after the view: the commit
        if failed is not None:
            return broken(failed)
        if refusals.is_page():
            return refusals.answer(error)
        said = KEY_EXPECTED if error.code == 401 else error.description or error.name
        made = document(error.code or 500, error.name, said)
        for name, value in error.get_headers():
            if name.lower() not in ("content-type", "content-length"):
                made.headers[name] = value  # Allow on 405, Retry-After on 429, WWW-Authenticate on 401
        return made

    @app.errorhandler(Exception)
    def broken(error: Exception) -> BaseResponse:
        if isinstance(error, PASSING):
            log.warning("the database gave up", path=request.path, method=request.method, error=str(error.orig))
            return http(ServiceUnavailable("the database is away or busy; send it again", retry_after=AGAIN_S))
        log.error("request failed", path=request.path, method=request.method, exc_info=error)
        if refusals.is_page():
            return refusals.answer(InternalServerError())
        return document(500, "Internal error", "something broke here; the log has it under this request id")


def document(status: int, title: str, detail: str, error: Problem | None = None) -> Response:
    """A problem document with the request's id; `error` adds its places and facts."""
    faults = error.faults if error else ()
    body = {
        "type": "about:blank", "title": title, "status": status, "detail": detail,
        "errors": [{"pointer": fault.pointer, "detail": fault.detail} for fault in faults],
        "request_id": g.get("request_id", ""), **(error.facts if error else {}),
    }  # fmt: skip
    written = json.dumps(body, ensure_ascii=False).encode("utf-8", "backslashreplace")  # a lone surrogate as \\udxxx
    return Response(written, status, content_type=PROBLEM_JSON)


def of_validation(error: ValidationError, checked: Any = None) -> Unacceptable:
    """Pydantic's findings as a Problem with a JSON pointer to each bad field.

    checked: what was validated. Pydantic also puts the tag of a union into a place (`attachments, 0, link, title`);
    where `checked` is given, only what is in it, or is missing from it, becomes part of a pointer. That a bad value is
    not None either, which may stand for a field that was left out, is no fault of its own.
    """
    found = error.errors(include_url=False, include_input=False)
    faults = tuple(
        Fault(
            "".join(f"/{_escape(part)}" for part in _place(each, checked)),
            each["msg"].removeprefix("Value error, "), _words(each),
        )
        for each in [one for one in found if one["type"] != "none_required"] or found
    )  # fmt: skip
    first = faults[0]
    return Unacceptable(f"{first.pointer or 'the body'}: {first.detail}", faults)


def _words(found: ErrorDetails) -> Any:
    """What a page says of it: the words it was raised with (`bot.web.api.bad`), or those of its kind."""
    facts = found.get("ctx", {})
    said: dict[str, Any] = {
        "missing": _l("请填写"), "literal_error": _l("请从列出的里面选"), "string_pattern_mismatch": _l("写法不对"),
        "int_type": _l("要填整数"), "int_parsing": _l("要填整数"), "int_from_float": _l("要填整数"),
        "float_type": _l("要填数字"), "float_parsing": _l("要填数字"),
        "greater_than_equal": _l("不能小于 %(ge)s", **facts), "greater_than": _l("要大于 %(gt)s", **facts),
        "less_than_equal": _l("不能大于 %(le)s", **facts), "less_than": _l("要小于 %(lt)s", **facts),
        "string_too_short": _l("至少 %(min_length)s 个字", **facts),
        "string_too_long": _l("最多 %(max_length)s 个字", **facts),
        "too_short": _l("至少 %(min_length)s 个", **facts), "too_long": _l("最多 %(max_length)s 个", **facts),
    }  # fmt: skip  # by Pydantic's type of an error
    return facts.get("words") or said.get(found["type"])


def _place(found: ErrorDetails, checked: Any) -> Iterator[int | str]:
    at, last = checked, len(found["loc"]) - 1
    for depth, part in enumerate(found["loc"]):
        inside = part in (at if isinstance(at, dict) else range(len(at)) if isinstance(at, list) else ())
        if inside:
            at = at[part]
        if inside or checked is None or (depth == last and found["type"] == "missing"):
            yield part


def _escape(part: object) -> str:
    return str(part).replace("~", "~0").replace("/", "~1")
