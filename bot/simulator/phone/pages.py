"""The phone's page and its screen."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from bot.core.errors import Conflict, Problem
from bot.simulator import control, friends, scan
from bot.simulator.kf import sessions
from bot.simulator.phone.words import WORDS
from bot.simulator.records import KfAccount, KfSession
from bot.simulator.world import World

Item = dict[str, Any]


def create(world: World) -> Blueprint:
    """The phone of one simulator."""
    pages = Blueprint("phone", __name__, url_prefix="/phone", template_folder="templates", static_folder="static")

    @pages.get("")
    def phone() -> BaseResponse:
        if link := request.args.get("kf"):
            return act(lambda: sessions.enter(world, _who() or None, url=link))
        with world.lock:
            shown = render_template("phone/page.html", **_page(world), **_screen(world, _who()))
        return make_response(shown)

    @pages.get("/screen")
    def screen() -> Response:
        with world.lock:
            return make_response(render_template("phone/_screen.html", **_screen(world, _who())))

    @pages.post("/scan")
    def scanned() -> BaseResponse:
        form = request.form
        who = form.get("who") if form.get("as") != "new" else None
        return act(lambda: scan.scan(world, form["code"], who or None, form.get("name") or None))

    @pages.post("/say")
    def said() -> BaseResponse:
        form = request.form
        menu = form.get("menu_id") or None
        return act(lambda: sessions.write(world, form["kf"], form["who"], text=form["text"], menu_id=menu))

    @pages.post("/enter")
    def entered() -> BaseResponse:
        return act(lambda: sessions.enter(world, request.form["who"], request.form["kf"]))

    @pages.post("/answer")
    def answered() -> BaseResponse:
        form = request.form
        return act(lambda: _answer(world, form["who"], form["userid"], form["text"]))

    @pages.post("/end")
    def ended() -> BaseResponse:
        who = request.form["who"]
        return act(lambda: sessions.change(world, _with_a_person(world, who)[0].open_kfid, who, "end"))

    @pages.post("/leave")
    def left() -> BaseResponse:
        return act(lambda: friends.delete(world, request.form["who"], request.form["userid"], "customer"))

    @pages.post("/pass")
    def passed() -> BaseResponse:
        return act(lambda: control.advance(world, float(request.form["seconds"])))

    def act(do: Callable[[], Any]) -> BaseResponse:
        """Do it and show her phone again; what is refused is said there."""
        told = ""
        who = request.form.get("who", _who())
        try:
            with world.lock:
                done = do()
            who = done.get("external_userid", who) if isinstance(done, dict) else who
        except Problem as problem:
            told = problem.detail
        return redirect(url_for("phone.phone", who=who, told=told or None, lang=request.args.get("lang")), 303)

    return pages


def _who() -> str:
    return request.args.get("who", "")


def _page(world: World) -> Item:
    """Who may be played, and what there is to scan."""
    state = world.state
    lang = request.args.get("lang", "zh")
    return {
        "told": request.args.get("told", ""),
        "people": [(one.external_userid, one.name) for one in reversed(state.customers.values())],
        "codes": [
            *((way.remark or way.state or way.config_id, way.config_id) for way in state.ways.values()),
            *((_chats(world, way.chat_id_list), way.config_id) for way in state.join_ways.values()),
        ],
        "servicers": [(userid, _called(world, userid)) for userid in _servicers(world)],
        "lang": lang if lang in WORDS else "zh",
    }


def _screen(world: World, who: str) -> Item:
    """What she sees: everything that arrived, and what she wrote, oldest first."""
    state = world.state
    customer = state.customers.get(who)
    accounts = [(one.open_kfid, one.name) for one in state.kf_accounts.values()]
    lang = request.args.get("lang", "zh")
    shown: Item = {
        "who": who,
        "t": WORDS.get(lang, WORDS["zh"]),
        "name": customer.name if customer else "",
        "kfs": accounts,
    }
    if customer is None:
        return {**shown, "messages": [], "members": [], "desk": ""}
    arrived: list[Item] = [
        {**one.message, "via": one.via, "by": _called(world, one.sender), "at": one.at, "hers": False}
        for one in state.inbox.get(who, [])
        if one.via != "kf"
    ]
    chats: list[Item] = [
        {
            **one.message,
            "via": "kf",
            "by": {"kf": account.name, "customer": customer.name}.get(one.sender) or _called(world, one.sender),
            "at": one.at,
            "hers": one.sender == "customer",
            "kf": account.open_kfid,
        }
        for account in state.kf_accounts.values()
        if who in account.sessions
        for one in account.sessions[who].chat
    ]
    members = [
        (userid, state.members[userid].name)
        for userid in customer.followers
        if who in state.members[userid].relations and not state.members[userid].relations[who].left
    ]
    messages = sorted(arrived + chats, key=lambda one: one["at"])
    return {**shown, "messages": messages, "members": members, "desk": _desk(world, who, shown["t"])}


def _desk(world: World, who: str, t: dict[str, str]) -> str:
    """Who has her session where a person does, in words; empty while the bot has it."""
    try:
        _, session = _with_a_person(world, who)
    except Conflict:
        return ""
    return f"{_called(world, session.servicer)} {t['served']}" if session.servicer else t["pool"]


def _answer(world: World, who: str, userid: str, text: str) -> Item:
    """Whoever has her answers her; from the pool `userid` takes her first."""
    account, session = _with_a_person(world, who)
    if not session.servicer:
        sessions.change(world, account.open_kfid, who, "take", userid)
    return sessions.answer(world, account.open_kfid, who, session.servicer, text)


def _with_a_person(world: World, who: str) -> tuple[KfAccount, KfSession]:
    """Her session that is a person's to answer. Raises Conflict where the bot has all of hers."""
    for account in world.state.kf_accounts.values():
        if who in account.sessions:
            session = sessions.session_of(world, account, who)
            if session.state in (sessions.POOL, sessions.SERVED):
                return account, session
    raise Conflict("she has not asked for a person: the bot has her session")


def _servicers(world: World) -> list[str]:
    """Who serves in any account; all members where none is named."""
    named = [userid for account in world.state.kf_accounts.values() for userid in account.servicers]
    return list(dict.fromkeys(named)) or list(world.state.members)


def _called(world: World, sender: str) -> str:
    member = world.state.members.get(sender)
    return member.name if member else sender


def _chats(world: World, chat_ids: list[str]) -> str:
    return "、".join(world.state.groups[one].name for one in chat_ids if one in world.state.groups)
