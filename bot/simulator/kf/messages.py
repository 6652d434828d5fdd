"""Answers to a customer: five per message of hers within 48 hours, or one with a code; pages 94677 and 95122."""

import re

from bot.simulator import content
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.fields import Fields
from bot.simulator.kf.log import append_event, found, named
from bot.simulator.kf.sessions import BOT, ENDED, NEW, WINDOW_S, deliver, session_of
from bot.simulator.records import KfAccount, KfSession, Message
from bot.simulator.world import new_id

area = Area()

PER_MESSAGE = 5
MENU_ITEMS = 10
CODE_S = {"welcome": 20, "pool": WINDOW_S, "taken": WINDOW_S, "end": 20}
WITH_MENU = ("welcome", "end")
_MSGID = re.compile(r"[0-9a-zA-Z_-]*")


@area.api("POST", "kf/send_msg", right="kf")
def send(call: Call) -> Answer:
    """Answer her in a session that nobody else has; a later refusal comes as a msg_send_fail event."""
    account = named(call)
    external_userid = call.body.text("touser", size=64, missing=41035)
    if external_userid not in call.state.customers:
        raise Refused(40096, external_userid)
    message, session = checked(call), session_of(call.world, account, external_userid)
    msgid = _msgid(call, account)
    _check_window(call, session)
    session.sent += 1
    account.msgids.add(msgid)
    if session.fails:
        failed: Message = {"external_userid": external_userid, "fail_msgid": msgid, "fail_type": session.fails.pop(0)}
        append_event(call.world, account, "msg_send_fail", failed)
    else:
        deliver(call.world, account, session, message | {"msgid": msgid})
    return {"msgid": msgid}


@area.api("POST", "kf/send_msg_on_event", right="kf")
def send_on_event(call: Call) -> Answer:
    """Send once with the code of an event or of a move: a welcome, a notice, a goodbye."""
    wanted = call.body.text("code", missing=40063)
    code = call.state.kf_codes.get(wanted)
    # WeCom does not document what it answers for a code that is spent, late or made up.
    if code is None or code.at + CODE_S[code.scene] <= call.world.now():
        raise Refused(40029)
    account = found(call, code.open_kfid)
    if call.body.text("msgtype") not in (("text", "msgmenu") if code.scene in WITH_MENU else ("text",)):
        raise Refused(95030)
    message, msgid = checked(call), _msgid(call, account)
    session = session_of(call.world, account, code.external_userid)
    del call.state.kf_codes[wanted]
    account.msgids.add(msgid)
    if code.scene == "welcome":
        session.welcomed_at = call.world.now()
    deliver(call.world, account, session, message | {"msgid": msgid})
    return {"msgid": msgid}


def checked(call: Call) -> Message:
    """The message of a call. Raises Refused where WeCom would."""
    kind = call.body.text("msgtype", missing=40008)
    part = call.body.part(kind)
    if kind == "text":
        part.text("content", size=2048, missing=44004, too_long=45002)
    elif kind in ("image", "voice", "video", "file"):
        content.media(call, part.text("media_id", missing=41006), kind)
    elif kind == "link":
        part.text("title", size=128, missing=41016)
        part.text("desc", size=512)
        part.text("url", size=2048, missing=41010)
        content.media(call, part.text("thumb_media_id", missing=41006), "image")
    elif kind == "miniprogram":
        part.text("appid", missing=40063)
        part.text("title", size=64)
        content.media(call, part.text("thumb_media_id", missing=41006), "image")
        part.text("pagepath", missing=40063)
    elif kind == "msgmenu":
        _check_menu(part)
    elif kind != "location":
        raise Refused(40008, kind)
    return {"msgtype": kind, kind: dict(part.values)}


def _check_menu(menu: Fields) -> None:
    menu.text("head_content", size=1024)
    menu.text("tail_content", size=1024)
    for item in menu.parts("list", MENU_ITEMS, too_many=95008):
        kind = item.text("type")
        part = item.part(kind)
        if kind == "click":
            part.text("id", size=128)
            part.text("content", size=128, missing=40063)
        elif kind == "view":
            part.text("url", size=2048, missing=41010)
            part.text("content", size=1024, missing=40063)
        elif kind == "miniprogram":
            part.text("appid", missing=40063)
            part.text("content", size=1024, missing=40063)
        elif kind == "text":
            part.text("content", size=256, missing=40063)
        else:
            raise Refused(95009, kind)


def _check_window(call: Call, session: KfSession) -> None:
    if session.state == ENDED:
        raise Refused(95002 if session.wrote_at + WINDOW_S <= call.world.now() else 95013)
    if session.state not in (NEW, BOT):
        raise Refused(95018)
    if session.sent >= PER_MESSAGE:
        raise Refused(95001)


def _msgid(call: Call, account: KfAccount) -> str:
    """The caller's msgid, or a new one. A used one is refused, so that a repetition delivers nothing twice."""
    msgid = call.body.text("msgid", size=32)
    if not _MSGID.fullmatch(msgid):
        raise call.body.bad("msgid", "letters, digits, _ and -")
    if msgid and msgid in account.msgids:
        raise Refused(95032, msgid)
    return msgid or new_id("", 32)
