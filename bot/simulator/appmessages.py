"""Messages between the app and members: message/send and its recall, and what members write; pages 90236 and 90239."""

import json
from typing import Literal

from defusedxml import ElementTree

from bot.simulator import content
from bot.simulator.area import Answer, Area, Call
from bot.simulator.callbacks import Value
from bot.simulator.codes import Refused
from bot.simulator.fields import Fields
from bot.simulator.limits import DAY, HOUR, MINUTE
from bot.simulator.members import UserId
from bot.simulator.records import AppMessage, Message
from bot.simulator.world import World, new_id

area = Area()

USERS, PARTIES, TAGS = 1000, 100, 100
PER_MEMBER_MINUTE, PER_MEMBER_HOUR = 30, 1000  # what exceeds them is dropped without a word
TEXT_SIZE = 2048
REPEAT_S = 1800
MEDIA = ("image", "voice", "video", "file")


@area.api("POST", "message/send")
def send(call: Call) -> Answer:
    """Deliver to the members who can be reached; errcode 0 names the others."""
    body = call.body
    _check_agent(call, call.body)
    users, invalid_users = _users(call)
    parties, invalid_parties = _parties(call)
    invalid_tags = _ids(body, "totag", TAGS, 82003)  # the simulated corp has no member tags
    if not users and not parties:
        raise Refused(81013)
    message = _message(call)
    sent = AppMessage(new_id("", 40), call.app.secret, call.world.now(), [], json.dumps(message))
    repeated = body.flag("enable_duplicate_check") and _repeated(call, sent, users | parties)
    for userid in sorted(users | parties):
        if not repeated and _may_receive(call, userid):
            sent.receivers.append(userid)
            call.world.receive(userid, "app", str(call.world.agentid), message | {"msgid": sent.msgid})
    call.state.app_messages[sent.msgid] = sent
    answer: Answer = {
        "invaliduser": "|".join(invalid_users), "invalidparty": "|".join(invalid_parties),
        "invalidtag": "|".join(invalid_tags), "unlicenseduser": "", "msgid": sent.msgid,
    }  # fmt: skip
    return answer | ({"response_code": new_id("", 40)} if message["msgtype"] == "template_card" else {})


@area.api("GET", "agent/get")
def agent(call: Call) -> Answer:
    """The app of the token, as its settings page shows it."""
    _check_agent(call, call.query)
    return {"agentid": call.app.agentid, "name": call.app.name, "close": int(call.app.disabled)}


@area.api("POST", "message/recall")
def recall(call: Call) -> Answer:
    """Take back what was sent in the last 24 hours by the same app."""
    sent = call.state.app_messages.get(call.body.text("msgid", missing=40063))
    if sent is None or sent.secret != call.app.secret:
        raise Refused(40058, "msgid")
    if sent.at + DAY <= call.world.now():
        raise Refused(42052)
    for userid in sent.receivers:
        kept = [one for one in call.state.inbox[userid] if one.message.get("msgid") != sent.msgid]
        call.state.inbox[userid] = kept
    return {}


@area.act("POST", "/app-messages")
def write(world: World, userid: UserId, text: str) -> Answer:
    """A member writes to the app; a passive answer of the callback arrives in his chat."""
    world.member(userid)
    msgid = str(int(world.now() * 1_000_000))
    fields: dict[str, Value] = {"MsgType": "text", "Content": text, "MsgId": int(msgid), "AgentID": world.agentid}
    world.emit("app", userid, fields, sender=userid, replied=lambda answer: _replied(world, userid, answer))
    return {"msgid": msgid}


@area.act("POST", "/app-events")
def happen(
    world: World,
    userid: UserId,
    event: Literal["subscribe", "unsubscribe", "enter_agent", "click", "view"],
    event_key: str = "",
) -> Answer:
    """A member opens the app or taps its menu."""
    world.member(userid)
    fields: dict[str, Value] = {"MsgType": "event", "Event": event, "EventKey": event_key, "AgentID": world.agentid}
    world.emit("app", userid, fields, sender=userid)
    return {}


def _replied(world: World, userid: str, answer: str) -> None:
    kind = ElementTree.fromstring(answer).findtext("MsgType", "")
    words = ElementTree.fromstring(answer).findtext("Content", "")
    with world.lock:
        world.receive(userid, "app", str(world.agentid), {"msgtype": kind, kind: {"content": words}})


def _check_agent(call: Call, asked: Fields) -> None:
    """The agentid must be of the token's app; an app that was not told its own takes the first it is used with."""
    agentid = asked.number("agentid", missing=41011)
    if call.app.agentid is None and call.app is call.world.app:
        call.app.agentid = agentid
    if agentid != call.app.agentid:
        others = {app.agentid for app in call.state.apps.values()}
        raise Refused(301002 if agentid in others else 40056, str(agentid))


def _ids(body: Fields, name: str, most: int, too_many: int) -> list[str]:
    found = [one for one in body.text(name).split("|") if one]
    if len(found) > most:
        raise Refused(too_many, name)
    return found


def _users(call: Call) -> tuple[set[str], list[str]]:
    """Members `touser` reaches and those it names in vain. Raises Refused 82001 where nobody at all is named."""
    if not any(call.body.has(name) and call.body.text(name) for name in ("touser", "toparty", "totag")):
        raise Refused(82001)
    seen = {userid for userid in call.state.members if call.app.sees(userid)}
    if call.body.text("touser") == "@all":
        return seen, []
    asked = _ids(call.body, "touser", USERS, 40032)
    return seen.intersection(asked), [one for one in asked if one not in seen]


def _parties(call: Call) -> tuple[set[str], list[str]]:
    asked = _ids(call.body, "toparty", PARTIES, 82002)
    members = [one for one in call.state.members.values() if call.app.sees(one.userid)]
    known = {str(number) for member in members for number in member.departments}
    reached = {one.userid for one in members if {str(number) for number in one.departments}.intersection(asked)}
    return reached, [one for one in asked if one not in known]


def _message(call: Call) -> Message:
    kind = call.body.text("msgtype", missing=40008)
    part = call.body.part(kind)
    if kind in ("text", "markdown"):
        part.text("content", size=TEXT_SIZE, missing=44004, too_long=45002)
    elif kind in MEDIA:
        content.media(call, part.text("media_id", missing=41006), kind)
    elif kind == "textcard":
        part.text("title", size=128, missing=41016)
        part.text("description", size=512, missing=41033)
        part.text("url", size=2048, missing=41010)
    elif kind == "news":
        articles = part.parts("articles", 8, too_many=45008)
        if not articles:
            raise Refused(45008)
        for article in articles:
            article.text("title", size=128, missing=41016)
    elif kind == "template_card":
        part.text("card_type", missing=42031)
    else:
        raise Refused(40008, kind)
    return {"msgtype": kind, kind: dict(part.values)}


def _repeated(call: Call, sent: AppMessage, receivers: set[str]) -> bool:
    interval = call.body.number("duplicate_check_interval", REPEAT_S, high=4 * HOUR) or REPEAT_S
    return any(
        earlier.secret == sent.secret and earlier.content == sent.content and earlier.at + interval > sent.at
        and receivers.intersection(earlier.receivers) for earlier in call.state.app_messages.values()
    )  # fmt: skip


def _may_receive(call: Call, userid: str) -> bool:
    limits, now, key = call.world.limits, call.world.now(), f"message {call.app.secret} {userid}"
    return limits.allow(key, PER_MEMBER_MINUTE, MINUTE, now) and limits.allow(key, PER_MEMBER_HOUR, HOUR, now)
