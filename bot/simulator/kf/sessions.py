"""Her conversation with an account: opening, writing, whose turn it is, and its end; pages 94669 and 94670.

States: 0 new, 1 bot, 2 waiting pool, 3 servicer, 4 ended or not begun. A session lasts until it is ended or 48 hours
after her last message.
"""

from typing import Literal

from bot.core.errors import Conflict, NotFound, Unacceptable
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.kf.accounts import opened
from bot.simulator.kf.log import CUSTOMER, SERVICER, append, append_event, known, named
from bot.simulator.records import KfAccount, KfCode, KfSession, Message, Received
from bot.simulator.world import World, moment, new_id

area = Area()

NEW, BOT, POOL, SERVED, ENDED = range(5)
WINDOW_S = 48 * 3600
MOVES = {NEW: {BOT, POOL, SERVED, ENDED}, BOT: {BOT, POOL, SERVED, ENDED}, POOL: {POOL, SERVED, ENDED},
         SERVED: {SERVED, ENDED}, ENDED: set[int]()}  # fmt: skip
TAKEN, TRANSFERRED, OVER, REENTERED = 1, 2, 3, 4  # change_type of session_status_change


@area.api("POST", "kf/service_state/get", right="kf")
def state(call: Call) -> Answer:
    session = _session(call)
    servicer = {"servicer_userid": session.servicer} if session.state == SERVED else {}
    return {"service_state": session.state, **servicer}


@area.api("POST", "kf/service_state/trans", right="kf")
def transfer(call: Call) -> Answer:
    """Move a session; the first move to pool or servicer, and the end, give a code for send_msg_on_event."""
    account, session = named(call), _session(call)
    wanted = call.body.number("service_state", missing=40063, high=ENDED)
    if wanted not in MOVES[session.state]:
        raise Refused(95016, f"{session.state} to {wanted}")
    servicer = ""
    if wanted == SERVED:
        servicer = call.body.text("servicer_userid", size=64, missing=41009)
        if servicer not in account.servicers:
            raise Refused(95014, servicer)
        if not account.servicers[servicer]:
            raise Refused(95019, servicer)
    return _moved(call.world, account, session, wanted, servicer)


@area.api("POST", "kf/customer/batchget", right="kf")
def customers(call: Call) -> Answer:
    """Who they are; only those who opened or wrote to an account within 48 hours."""
    ids = call.body.texts("external_userid_list", 100, missing=40063)
    with_scene = call.body.number("need_enter_session_context", 0, 0, 1)
    active = {one: session for one in ids if (session := _active(call.world, one)) is not None}
    if not active and any(one in call.state.customers for one in ids):
        raise Refused(95031)
    rows = list[Answer]()
    for external_userid, session in active.items():
        customer = call.state.customers[external_userid]
        row: Answer = {"external_userid": external_userid, "nickname": customer.name, "avatar": customer.avatar,
                       "gender": customer.gender}  # fmt: skip
        row |= {"unionid": customer.unionid} if customer.unionid else {}
        rows.append(row | ({"enter_session_context": dict(session.scene)} if with_scene and session.scene else {}))
    return {"customer_list": rows, "invalid_external_userid": [one for one in ids if one not in active]}


@area.act("POST", "/kf/sessions")
def enter(
    world: World,
    external_userid: str | None = None,
    open_kfid: str | None = None,
    url: str | None = None,
    scene: str = "",
    scene_param: str = "",
    name: str | None = None,
) -> Answer:
    """She opens an account, by its id or by a link of kf/add_contact_way."""
    if (open_kfid is None) == (url is None):
        raise Unacceptable.at("", "give open_kfid or url")
    if url is not None:
        open_kfid, scene, scene_param = opened(world, url)
    account, customer = known(world, open_kfid or ""), world.customer(external_userid, name)
    session, now, code = session_of(world, account, customer.external_userid), world.now(), ""
    quiet = max(session.wrote_at, session.welcomed_at) + WINDOW_S <= now
    session.scene, session.entered_at = {"scene": scene, "scene_param": scene_param}, now
    fields: Message = {"external_userid": customer.external_userid, **session.scene}
    if quiet and not account.native_welcome:
        code = new_code(world, account, customer.external_userid, "welcome")
        fields["welcome_code"] = code
    append_event(world, account, "enter_session", fields)
    return {"external_userid": customer.external_userid, "open_kfid": account.open_kfid, "welcome_code": code or None}


@area.act("POST", "/kf/messages")
def write(
    world: World,
    open_kfid: str,
    external_userid: str | None = None,
    text: str | None = None,
    menu_id: str | None = None,
    message: dict[str, object] | None = None,
    name: str | None = None,
) -> Answer:
    """She writes `text` (or sends `message`, in WeCom's form); `menu_id` where she tapped a menu."""
    if (text is None) == (message is None):
        raise Unacceptable.at("", "give text or message")
    account, customer = known(world, open_kfid), world.customer(external_userid, name)
    if message is None:
        message = {"msgtype": "text", "text": {"content": text} | ({"menu_id": menu_id} if menu_id else {})}
    session = session_of(world, account, customer.external_userid)
    if session.state == ENDED:
        session.state, session.coded = NEW, False
    session.wrote_at, session.sent = world.now(), 0
    who = {"open_kfid": account.open_kfid, "external_userid": customer.external_userid}
    msgid = append(world, account, {**who, "origin": CUSTOMER, **message})
    _say(world, session, "customer", message | {"msgid": msgid})
    return {"msgid": msgid, "external_userid": customer.external_userid}


@area.act("GET", "/kf/messages")
def chat(world: World, external_userid: str, open_kfid: str | None = None) -> Answer:
    """The chat as she sees it, oldest first: `from` customer, kf, or a servicer's userid."""
    rows = [
        {**one.message, "from": one.sender, "at": moment(one.at), "open_kfid": account.open_kfid}
        for account in world.state.kf_accounts.values() if open_kfid in (None, account.open_kfid)
        for one in (account.sessions[external_userid].chat if external_userid in account.sessions else [])
    ]  # fmt: skip
    return {"data": sorted(rows, key=lambda row: str(row["at"]))}


@area.act("POST", "/kf/servicer-messages")
def answer(world: World, open_kfid: str, external_userid: str, userid: str, text: str) -> Answer:
    """A servicer who has the session writes to her in his client."""
    account, session = _known(world, open_kfid, external_userid)
    if session.state != SERVED or session.servicer != userid:
        raise Conflict(f"{userid} does not have this session")
    who = {"open_kfid": open_kfid, "external_userid": external_userid, "servicer_userid": userid}
    message: Message = {"msgtype": "text", "text": {"content": text}}
    msgid = append(world, account, {**who, "origin": SERVICER, **message})
    _say(world, session, userid, message | {"msgid": msgid})
    return {"msgid": msgid}


@area.act("POST", "/kf/session-changes")
def change(
    world: World,
    open_kfid: str,
    external_userid: str,
    change: Literal["take", "transfer", "end", "reenter"],
    userid: str = "",
) -> Answer:
    """A servicer takes her from the pool, hands her on, ends the session, or writes again after its end."""
    account, session = _known(world, open_kfid, external_userid)
    before = {"take": POOL, "transfer": SERVED, "end": SERVED, "reenter": ENDED}[change]
    if session.state != before:
        raise Conflict(f"the session's state is {session.state}, not {before}")
    old, kind = session.servicer, {"take": TAKEN, "transfer": TRANSFERRED, "end": OVER, "reenter": REENTERED}[change]
    session.state, session.servicer = (ENDED, "") if change == "end" else (SERVED, userid)
    fields: Message = {"external_userid": external_userid, "change_type": kind}
    fields |= {"old_servicer_userid": old} if old else {}
    fields |= {"new_servicer_userid": userid} if change != "end" else {}
    if change in ("take", "end"):
        fields["msg_code"] = new_code(world, account, external_userid, "taken" if change == "take" else "end")
    append_event(world, account, "session_status_change", fields)
    return {"service_state": session.state, "msg_code": fields.get("msg_code")}


@area.act("POST", "/kf/recalls")
def recall(world: World, open_kfid: str, external_userid: str, msgid: str) -> Answer:
    """She takes a message back."""
    account, session = _known(world, open_kfid, external_userid)
    session.chat = [one for one in session.chat if one.message.get("msgid") != msgid]
    append_event(world, account, "user_recall_msg", {"external_userid": external_userid, "recall_msgid": msgid})
    return {}


@area.act("POST", "/kf/failures")
def fail(world: World, open_kfid: str, external_userid: str, fail_type: int, times: int = 1) -> Answer:
    """Her next answers are accepted and then fail (msg_send_fail); 10: she has blocked the account."""
    _, session = _known(world, open_kfid, external_userid)
    session.fails += [fail_type] * times
    return {"waiting": len(session.fails)}


def session_of(world: World, account: KfAccount, external_userid: str) -> KfSession:
    """Her session, ended by now where she has not written for 48 hours."""
    session = account.sessions.setdefault(external_userid, KfSession(external_userid))
    if session.state != ENDED and session.wrote_at + WINDOW_S <= world.now():
        session.state, session.servicer = ENDED, ""
    return session


def new_code(
    world: World, account: KfAccount, external_userid: str, scene: Literal["welcome", "pool", "taken", "end"]
) -> str:
    """A code with which send_msg_on_event may send once."""
    code = new_id("", 43)
    world.state.kf_codes[code] = KfCode(account.open_kfid, external_userid, scene, world.now())
    return code


def deliver(world: World, account: KfAccount, session: KfSession, message: Message) -> None:
    """An answer arrives in her chat, and in her inbox."""
    _say(world, session, "kf", message)
    world.receive(session.external_userid, "kf", account.open_kfid, message)


def _say(world: World, session: KfSession, sender: str, message: Message) -> None:
    session.chat.append(Received("kf", sender, world.now(), message))


def _session(call: Call) -> KfSession:
    account, external_userid = named(call), call.body.text("external_userid", size=64, missing=41035)
    if external_userid not in call.state.customers:
        raise Refused(40096, external_userid)
    return session_of(call.world, account, external_userid)


def _moved(world: World, account: KfAccount, session: KfSession, wanted: int, servicer: str) -> Answer:
    session.state, session.servicer = wanted, servicer
    if wanted == ENDED:
        return {"msg_code": new_code(world, account, session.external_userid, "end")}
    if wanted in (POOL, SERVED) and not session.coded:
        session.coded = True
        scene: Literal["pool", "taken"] = "pool" if wanted == POOL else "taken"
        return {"msg_code": new_code(world, account, session.external_userid, scene)}
    return {}


def _active(world: World, external_userid: str) -> KfSession | None:
    sessions = (one.sessions.get(external_userid) for one in world.state.kf_accounts.values())
    last = max((one for one in sessions if one is not None), key=_touched, default=None)
    return last if last is not None and _touched(last) + WINDOW_S > world.now() else None


def _touched(session: KfSession) -> float:
    return max(session.wrote_at, session.entered_at)


def _known(world: World, open_kfid: str, external_userid: str) -> tuple[KfAccount, KfSession]:
    account = known(world, open_kfid)
    if external_userid not in account.sessions:
        raise NotFound(f"{external_userid} has no chat with {open_kfid}")
    return account, session_of(world, account, external_userid)
