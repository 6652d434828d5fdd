"""/cgi-bin/: one door for every call of WeCom's API, in the order the gateway refuses things.

Fault, unknown path, concurrency, token, app, permission, method, frequency, JSON, then the call itself.
"""

import json
import socket
import time
from collections.abc import Mapping
from urllib.parse import quote

from flask import Response, request

from bot.simulator import codes, transfers
from bot.simulator.area import Answer, Api, Call, Raw
from bot.simulator.codes import Refused
from bot.simulator.faults import Fault
from bot.simulator.fields import Fields
from bot.simulator.records import App
from bot.simulator.world import World, moment

NOBODY = App("")
SHOWN = 20_000  # characters of an unreadable body that are kept in the record of calls
NO_FAULT = Fault("")


def serve(world: World, apis: Mapping[str, Api], path: str) -> Response:
    """Answer the request that is under way, and record it."""
    raw = request.get_data()  # always read: a kept connection must begin at the next request
    at, fault = world.now(), world.faults.take(path) or NO_FAULT
    entered, status = world.limits.enter(path), 0
    answer: Answer | Raw = {}
    try:
        if fault.drop != "before":
            answer, status = _refused_or_not(world, apis.get(path), path, raw, fault, entered)
        time.sleep(fault.delay_s)
    finally:
        if entered:
            world.limits.leave(path)
    if fault.drop is not None:
        # What is written to the shut socket meets a broken pipe, which the server takes for a client gone.
        connection: socket.socket = request.environ["werkzeug.socket"]
        connection.shutdown(socket.SHUT_RDWR)
    world.calls.append({
        "at": moment(at), "method": request.method, "path": path, "query": request.args.to_dict(),
        "body": _shown(raw), "status": None if fault.drop else status,
        "answer": f"<{len(answer.content)} bytes>" if isinstance(answer, Raw) else answer,
    })  # fmt: skip
    if isinstance(answer, Raw):
        disposition = f"attachment; filename*=UTF-8''{quote(answer.filename)}"  # RFC 5987: names are Chinese
        return Response(answer.content, content_type=answer.content_type, headers={"Content-Disposition": disposition})
    text = json.dumps(answer, ensure_ascii=False, separators=(",", ":"))
    return Response(text, status, content_type="application/json; charset=UTF-8")


def _refused_or_not(
    world: World, api: Api | None, path: str, raw: bytes, fault: Fault, entered: bool
) -> tuple[Answer | Raw, int]:
    """The answer and its HTTP status. An unknown path is a 404; all else is a 200 with an errcode."""
    ip = request.remote_addr or ""
    try:
        if fault.errcode is not None and not fault.done:
            raise Refused(fault.errcode)
        if api is None:
            raise Refused(40058, f"no such api: {path}")
        if not entered:
            raise Refused(45033)
        answer = _called(world, api, raw, ip)
        if fault.errcode is not None:
            raise Refused(fault.errcode)
    except Refused as refused:
        words = codes.message(refused.errcode, refused.detail, ip)
        return {"errcode": refused.errcode, "errmsg": words}, 200 if api or fault.errcode is not None else 404
    if isinstance(answer, Raw):
        return answer, 200
    return {"errcode": 0, "errmsg": "ok", **answer, "reserved": 0}, 200  # fields nobody documented do turn up


def _called(world: World, api: Api, raw: bytes, ip: str) -> Answer | Raw:
    with world.lock:
        transfers.settle(world)
        query = Fields(request.args.to_dict(), "?")
        app = _authorised(world, query, ip) if api.token else NOBODY
        if api.right is not None and api.right not in app.rights:
            raise Refused(48007 if api.right == "kf" else 48002)
        if request.method != api.method:
            raise Refused(40058, f"{api.path} takes {api.method}, not {request.method}")
        if not world.limits.allow_api(api.path, world.now(), query.text("debug") == "1"):
            raise Refused(45009)
        return api.answer(Call(world, app, query, Fields(_body(api, raw)), request.files, ip))


def _authorised(world: World, query: Fields, ip: str) -> App:
    """The app whose access_token the call carries."""
    token = world.state.tokens.get(query.text("access_token", missing=41001))
    if token is None or token.kind != "access":
        raise Refused(40014)
    if token.expires_at <= world.now():
        raise Refused(42001)
    app = world.state.apps[token.secret]
    if app.disabled:
        raise Refused(50003)
    if app.trusted_ips is not None and ip not in app.trusted_ips:
        raise Refused(60020)
    return app


def _body(api: Api, raw: bytes) -> dict[str, object]:
    if api.method == "GET" or request.mimetype == "multipart/form-data":
        return {}
    try:
        body = json.loads(raw)
    except ValueError:
        raise Refused(40058, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise Refused(40058, "the body is not a JSON object")
    return body


def _shown(raw: bytes) -> object:
    """The body as JSON where it is some, else its beginning as text, or its size where it is a file."""
    if request.mimetype == "multipart/form-data":
        return f"<{len(raw)} bytes of multipart/form-data>"
    try:
        return json.loads(raw) if raw else None
    except ValueError:
        return raw[:SHOWN].decode("utf-8", "replace")
