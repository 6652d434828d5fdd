"""The simulator's web site: /cgi-bin/, /sim/, and the table of contents of what both offer."""

from collections.abc import Callable
from functools import cache
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import HTTPException

from bot.core.errors import Problem, Unacceptable
from bot.simulator import (
    appmessages,
    cgi,
    contacts,
    control,
    friends,
    groups,
    joinways,
    masssend,
    media,
    members,
    moments,
    oauth,
    phone,
    scan,
    tags,
    tokens,
    transfers,
    ways,
    web,
    welcome,
)
from bot.simulator.area import Act, Area
from bot.simulator.kf import accounts, log, messages, sessions
from bot.simulator.world import World

AREAS: tuple[Area, ...] = (
    tokens.area,  # access tokens, tickets, callback addresses
    members.area,  # the corp's members
    contacts.area,  # customers and relations, read and remarked
    friends.area,  # adding, deleting, chatting
    transfers.area,  # 在职继承, 离职继承
    tags.area,  # corp tags
    welcome.area,  # welcome codes
    ways.area,  # 联系我
    media.area,  # uploads
    appmessages.area,  # the app and members
    oauth.area,  # who opened a page
    accounts.area,  # 微信客服
    log.area,
    sessions.area,
    messages.area,
    groups.area,  # customer groups
    joinways.area,  # 加入群聊, 入群欢迎语
    masssend.area,  # 企业群发
    moments.area,  # 客户朋友圈, its beginning
    scan.area,  # QR codes of every kind
    control.area,  # apps, tokens, limits, faults, callbacks, clock, calls, inbox
)


def create(world: World) -> Flask:
    """The application of one simulator."""
    site = Flask(__name__)
    site.json.ensure_ascii = False  # type: ignore[attr-defined]  # of the default provider
    apis = {api.path: api for area in AREAS for api in area.apis}

    @site.route("/cgi-bin/<path:path>", methods=["GET", "POST", "PUT", "DELETE", "PATCH"])
    def call(path: str) -> Response:
        return cgi.serve(world, apis, path)

    for act in (act for area in AREAS for act in area.acts):
        site.add_url_rule(f"/sim{act.path}", f"{act.method} {act.path}", _view(world, act), methods=[act.method])

    site.register_blueprint(web.create(world))
    site.register_blueprint(phone.create(world))

    @site.errorhandler(Problem)
    def refused(problem: Problem) -> tuple[Response, int]:
        return jsonify(title=problem.title, detail=problem.detail, status=problem.status), problem.status

    @site.errorhandler(HTTPException)
    def wrong(error: HTTPException) -> tuple[Response, int]:
        return jsonify(title=error.name, detail=error.description, status=error.code), error.code or 500

    return site


def _view(world: World, act: Act) -> Callable[..., Response]:
    def view(**path: str) -> Response:
        body = request.get_json(force=True) if request.get_data() else {}
        if not isinstance(body, dict):
            raise Unacceptable.at("", "the body is not a JSON object")
        given: dict[str, Any] = {**request.args.to_dict(), **body, **path}
        with world.lock:
            transfers.settle(world)
            answer = _checked(act)(world, **given)
            transfers.settle(world)  # the act may have moved the clock
            return jsonify(answer)

    return view


@cache
def _checked(act: Act) -> Callable[..., Any]:
    """The act behind a check of its fields' names and types; built at first use, since it is slow to build."""
    from pydantic import ValidationError, validate_call

    checked = validate_call(config={"arbitrary_types_allowed": True})(act.do)

    def run(world: World, **given: Any) -> Any:
        try:
            return checked(world, **given)
        except ValidationError as error:
            wrong = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()]
            raise Unacceptable(f"{act.method} /sim{act.path}: {'; '.join(wrong)}") from None

    return run
