"""The REST side: `/api/v1`, JSON in and out, described by OpenAPI 3.1. Conventions of contract.md, kept here once.

api = resource(__name__, "orders")

@api.post("/orders", responses=answers(OrderAnswer, 200, 201))
@needs("orders:write")
def post_order(body: OrderBody) -> Response:
    return reply(OrderAnswer(...), 201)
"""

import functools
import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

from flask import Response, current_app, request
from flask_openapi3.blueprint import APIBlueprint
from flask_openapi3.models.info import Info
from flask_openapi3.models.security_scheme import SecurityScheme
from flask_openapi3.models.tag import Tag
from flask_openapi3.openapi import OpenAPI
from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    Strict,
    ValidationError,
)
from pydantic_core import PydanticCustomError
from werkzeug.exceptions import BadRequest, MethodNotAllowed, UnsupportedMediaType

from bot.core import clock
from bot.core.errors import Fault, Unacceptable
from bot.core.feature import Register
from bot.web import idempotency
from bot.web.guard import needs
from bot.web.problems import PROBLEM_JSON, of_validation

PREFIX = "/api/v1"
BEGINNING = datetime(2000, 1, 1, tzinfo=UTC)  # no shop's order is older; a moment before is a unit or a year mistaken
SKEW = timedelta(minutes=5)  # by which a client's clock may be ahead of ours
MOST_BYTES = 4 * 1024 * 1024  # of a JSON body
MOST_UPLOAD_BYTES = 21 * 1024 * 1024  # of a form with a file; WeCom takes 20 MB
WRITES = ("POST", "PUT", "PATCH", "DELETE")

resources: Register[APIBlueprint] = Register("resources")
Item = TypeVar("Item")


class Body(BaseModel):
    """What a request carries (body, query, path): unknown fields are refused, strings are stripped of nothing."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Answer(BaseModel):
    """What an answer carries."""


def rfc3339(at: datetime) -> str:
    """A moment as the API writes it: UTC with `Z`, fractions of a second only where there are any."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _written(form: str, like: str) -> BeforeValidator:
    """A moment or a day as text; pydantic alone would also take a number, of seconds or milliseconds as it guesses."""
    written = re.compile(form)

    def checked(value: Any) -> Any:
        if not isinstance(value, date) and not (isinstance(value, str) and written.match(value)):
            raise ValueError(f"expected text like {like}")
        return value

    return BeforeValidator(checked)


Moment = Annotated[
    AwareDatetime,
    _written(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d", "2026-11-24T18:00:00Z"),
    PlainSerializer(rfc3339, return_type=str),
    Field(json_schema_extra={"format": "date-time"}),
]


def _past(at: datetime) -> datetime:
    now = clock.now()
    if not BEGINNING <= at <= now + SKEW:
        expected = (
            f"expected a moment from the year {BEGINNING.year} on and not in the future (it is {rfc3339(now)} now)"
        )
        raise ValueError(f"is {rfc3339(at)}, {expected}")
    return at


Past = Annotated[
    Moment, AfterValidator(_past), Field(description="not in the future, a clock's skew of 5 minutes aside")
]
Day = Annotated[date, _written(r"\d{4}-\d\d-\d\d$", "2026-11-24")]
Ident = Annotated[str, Field(pattern=r"^[0-9]{1,18}$", description="an opaque id")]
ABSENT: Any = None  # the default of what may be left out and may not be null
Flag = Annotated[bool, Strict()]  # a JSON boolean; pydantic alone would take 0 and "yes"
Whole = Annotated[int, Strict()]  # a JSON integer; pydantic alone would take "128"
Fen = Annotated[int, Strict(), Field(ge=0, le=10**13, description="money in fen")]


def bad(detail: str, words: Any) -> PydanticCustomError:
    """What a validator raises where a page has words of its own, lazy ones, for what the API says in English."""
    return PydanticCustomError("said", "{detail}", {"detail": detail, "words": words})


def words(most: int, **more: Any) -> Any:
    """The field of a text for people: 1 to `most` characters, not spaces alone. more: what else its Field says."""
    return Field(min_length=1, max_length=most, pattern=r"\S", **more)


class Paging(Body):
    """Query of a list."""

    limit: Annotated[int, Field(ge=1, le=200)] = 50
    cursor: Annotated[str, Field(max_length=500)] | None = None


class Listing(Answer, Generic[Item]):
    """A page of a list; `next_cursor` is null on the last one."""

    data: list[Item]
    next_cursor: str | None


class ById(Body):
    """Path with one id."""

    id: Ident

    @property
    def number(self) -> int:
        return int(self.id)


class FaultAnswer(Answer):
    """One bad place in the request."""

    pointer: str
    detail: str


class ProblemAnswer(Answer):
    """RFC 9457; further members depend on the problem."""

    type: str
    title: str
    status: int
    detail: str
    errors: list[FaultAnswer]
    request_id: str


def resource(home: str, name: str) -> APIBlueprint:
    """A feature's part of the API: routes under `/api/v1`, problems declared. `home` is the module's `__name__`."""
    made = APIBlueprint(
        f"api_{name}", home, url_prefix=PREFIX, abp_tags=[Tag(name=name)], abp_security=[{"key": []}],
        abp_responses={status: _problem(text) for status, text in PROBLEMS.items()},
    )  # fmt: skip
    return resources.mark(made, made, home)


def answers(model: type[BaseModel] | None, *statuses: int) -> dict[str | int, Any]:
    """The `responses` of a route that answers `model` with each of `statuses` (None: without a body)."""
    return {status: model if model is not None else {"description": "done"} for status in statuses or (200,)}


def reply(answer: BaseModel | None, status: int = 200) -> Response:
    """An answer as JSON; None is an empty 204."""
    if answer is None:
        return Response(status=204)
    return Response(answer.model_dump_json(by_alias=True), status, content_type="application/json")


PROBLEMS = {
    400: "malformed", 401: "no key, or not a valid one", 403: "the key lacks the scope", 404: "not found",
    405: "not with this method", 409: "conflict of state", 413: "too large", 415: "not application/json",
    422: "well-formed but not acceptable", 429: "too many requests", 500: "broken here", 502: "refused by WeCom",
    503: "the database is away or busy",
}  # fmt: skip


def _problem(text: str) -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/ProblemAnswer"}
    return {"description": text, "content": {PROBLEM_JSON: {"schema": schema}}}


def application(name: str, version: str, **options: Any) -> OpenAPI:
    """A Flask application that can carry the API; `install` adds it."""
    about = "复购: points, orders, tags and customers of a brand's WeCom"
    return OpenAPI(
        name,
        info=Info(title="Fugou", version=version, description=about),
        security_schemes={"key": SecurityScheme(type="http", scheme="bearer", description="fugou apikey create")},
        doc_ui=False, validation_error_model=ProblemAnswer, validation_error_callback=_invalid, **options,
    )  # fmt: skip


def install(app: OpenAPI) -> None:
    """Add the resources of every loaded feature and their document at `/api/v1/openapi.json`."""
    app.config["MAX_CONTENT_LENGTH"] = MOST_UPLOAD_BYTES
    idempotency.install(app)
    literal: dict[str, set[str]] = {}
    app.before_request(lambda: _check_method(literal))
    app.before_request(_check_body)

    @app.get(f"{PREFIX}/openapi.json", doc_ui=False)
    @needs("public")
    def document() -> dict[str, Any]:
        made: dict[str, Any] = app.api_doc
        return made

    for one in resources:
        app.register_api(one)
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith(PREFIX) and not rule.arguments:
            literal.setdefault(rule.rule, set()).update(rule.methods or ())


def _invalid(error: ValidationError) -> Response:
    sent = {**(request.view_args or {}), **request.args, **request.form, **request.files}
    raise of_validation(error, sent | (request.get_json(silent=True) or {}))


def _check_method(literal: Mapping[str, set[str]]) -> Response | None:
    """A path of its own (`/segments/preview`) is nobody's id, whatever the method. literal: methods by path."""
    methods = literal.get(request.path)
    if methods is None or (request.method in methods and request.method != "OPTIONS"):
        return None
    if request.method == "OPTIONS":
        return Response(headers={"Allow": ", ".join(sorted(methods))})
    raise MethodNotAllowed(sorted(methods))


def _check_body() -> None:
    """400 and 415 before anything is validated; what PostgreSQL can't keep (NUL, half a surrogate pair) is a 422."""
    if not request.path.startswith(PREFIX) or request.method not in WRITES:
        return
    if request.mimetype == "multipart/form-data":
        return
    raw = request.get_data()
    if len(raw) > MOST_BYTES:
        raise BadRequest(f"a body has at most {MOST_BYTES} bytes")
    if not raw:
        if request.endpoint is None or not _takes_body(current_app.view_functions[request.endpoint]):
            return
        raise BadRequest("expected a JSON object as the body")
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("expected Content-Type: application/json")
    try:
        parsed = request.get_json()
    except BadRequest:
        raise BadRequest("the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise BadRequest("expected a JSON object as the body")
    if b"\\u" in raw or b"\0" in raw:
        faults = tuple(_unkeepable(parsed, ""))
        if faults:
            raise Unacceptable(f"{faults[0].pointer}: {faults[0].detail}", faults)


@functools.cache
def _takes_body(view: Callable[..., Any]) -> bool:
    return "body" in inspect.signature(inspect.unwrap(view)).parameters


_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")


def _unkeepable(value: Any, at: str) -> Sequence[Fault]:
    if isinstance(value, str):
        return [Fault(at, "has a character that can't be stored")] if _UNKEEPABLE.search(value) else []
    if isinstance(value, dict):
        inside = ((key, item) for key, item in value.items())
        return [fault for key, item in inside for fault in (*_unkeepable(key, at), *_unkeepable(item, f"{at}/{key}"))]
    if isinstance(value, list):
        return [fault for n, item in enumerate(value) for fault in _unkeepable(item, f"{at}/{n}")]
    return []
