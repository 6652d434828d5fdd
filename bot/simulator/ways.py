"""联系我 contact ways: QR codes and mini-program buttons that add a member, with a state; page 92572."""

from dataclasses import replace

from bot.core.errors import Conflict
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.friends import BY_QR, befriend
from bot.simulator.members import ACTIVE
from bot.simulator.records import Customer, Way
from bot.simulator.state import State
from bot.simulator.world import World, new_id

area = Area()

SINGLE, MULTI = 1, 2
MINI_PROGRAM, QR = 1, 2
USERS = 100
STATE_CHARS = REMARK_CHARS = 30
TEMP_DEFAULT_S, TEMP_CHAT_S, TEMP_MOST_S = 7 * 86400, 86400, 14 * 86400


@area.api("POST", "externalcontact/add_contact_way", right="contact")
def add(call: Call) -> Answer:
    """A new way; its QR code comes with scene 2 only."""
    body = call.body
    kind, scene = body.number("type", missing=41037), body.number("scene", missing=41038)
    if kind not in (SINGLE, MULTI):
        raise Refused(41039)
    if scene not in (MINI_PROGRAM, QR):
        raise Refused(41040)
    if count(call.state) >= call.world.limits.contact_ways:
        raise Refused(41045)
    way = _filled(call, Way(new_id("", 32), kind, scene, call.world.now()))
    call.state.ways[way.config_id] = way
    code = {"qr_code": qr_code(call.world, way.config_id)} if scene == QR else {}
    return {"config_id": way.config_id, **code}


@area.api("POST", "externalcontact/get_contact_way", right="contact")
def get(call: Call) -> Answer:
    way = _named(call)
    shown: Answer = {
        "config_id": way.config_id, "type": way.type, "scene": way.scene, "style": way.style, "remark": way.remark,
        "skip_verify": way.skip_verify, "state": way.state, "user": way.user, "party": way.party,
        "is_temp": way.is_temp, "is_exclusive": way.is_exclusive,
    }  # fmt: skip
    if way.scene == QR:
        shown["qr_code"] = qr_code(call.world, way.config_id)
    if way.is_temp:
        shown |= {"expires_in": way.expires_in, "chat_expires_in": way.chat_expires_in, "unionid": way.unionid}
        shown["conclusions"] = way.conclusions
    return {"contact_way": shown}


@area.api("POST", "externalcontact/list_contact_way", right="contact")
def listed(call: Call) -> Answer:
    """Ids of the ways made in a span of time, temporary ones left out."""
    since, until = call.body.number("start_time"), call.body.number("end_time") or call.world.now()
    found = [way for way in call.state.ways.values() if not way.is_temp and since <= way.created_at <= until]
    page, following = call.body.page(found, 100, 1000)
    return {"contact_way": [{"config_id": way.config_id} for way in page]} | (
        {"next_cursor": following} if following else {}
    )


@area.api("POST", "externalcontact/update_contact_way", right="contact")
def update(call: Call) -> Answer:
    """Change what is given; user and party are overwritten together."""
    way = _filled(call, _named(call))
    call.state.ways[way.config_id] = way
    return {}


@area.api("POST", "externalcontact/del_contact_way", right="contact")
def delete(call: Call) -> Answer:
    del call.state.ways[_named(call).config_id]
    return {}


@area.api("POST", "externalcontact/close_temp_chat", right="contact")
def close_temp_chat(call: Call) -> Answer:
    call.relation(call.body.text("userid", missing=41009), call.body.text("external_userid", missing=41035))
    return {}


def qr_code(world: World, code: str) -> str:
    """The picture's address of a contact way, join way or kf link; the simulator serves it."""
    return f"{world.url}/qr/{code}.png"


def count(state: State) -> int:
    """Contact ways and join ways of the corp, which share a limit."""
    return len(state.ways) + len(state.join_ways)


def scan(world: World, way: Way, customer: Customer, half: bool) -> Answer:
    """She scans the code and is added to the member whose turn it is, at once. Raises Conflict for a dead code."""
    if way.is_temp and (way.used or way.created_at + way.expires_in <= world.now()):
        raise Conflict("this temporary code has been used or has expired")
    members = world.state.members.values()
    users = [one.userid for one in members if one.userid in way.user or set(one.departments) & set(way.party)]
    if not users:
        raise Conflict("nobody stands behind this code any more")
    hers = [one for one in users if way.is_exclusive and one in customer.followers]
    userid = hers[0] if hers else users[way.turn % len(users)]
    way.turn, way.used = way.turn + 1, True
    added, code = befriend(world, userid, customer, state=way.state, add_way=BY_QR, half=half)
    return {"userid": userid, "added": added, "welcome_code": code, "state": way.state}


def _named(call: Call) -> Way:
    way = call.state.ways.get(call.body.text("config_id", missing=41043))
    if way is None:
        raise Refused(41044)
    return way


def _filled(call: Call, way: Way) -> Way:
    """The way with the fields that are given; the others stay."""
    body = call.body
    style = body.number("style", way.style)
    if way.scene == MINI_PROGRAM and style not in (0, 1, 2, 3):
        raise Refused(41042)
    user, party = way.user, way.party
    if body.has("user") or body.has("party") or not (user or party):
        user, party = _people(call, way.type)
    is_temp = body.flag("is_temp", way.is_temp)
    if is_temp and way.type != SINGLE:
        raise Refused(40058, "is_temp is for type 1")
    if body.has("conclusions") and not is_temp:
        raise Refused(40058, "conclusions are for is_temp")
    return replace(
        way, style=style, user=user, party=party, is_temp=is_temp,
        remark=body.text("remark", chars=REMARK_CHARS) if body.has("remark") else way.remark,
        state=body.text("state", chars=STATE_CHARS) if body.has("state") else way.state,
        skip_verify=body.flag("skip_verify", way.skip_verify),
        is_exclusive=body.flag("is_exclusive", way.is_exclusive),
        expires_in=body.number("expires_in", way.expires_in or TEMP_DEFAULT_S, high=TEMP_MOST_S),
        chat_expires_in=body.number("chat_expires_in", way.chat_expires_in or TEMP_CHAT_S, high=TEMP_MOST_S),
        unionid=body.text("unionid") or way.unionid,
        conclusions=dict(body.part("conclusions").values) or way.conclusions,
    )  # fmt: skip


def _people(call: Call, kind: int) -> tuple[list[str], list[int]]:
    user, party = call.body.texts("user"), call.body.numbers("party")
    if kind == SINGLE and (len(user) != 1 or party):
        raise Refused(40058, "type 1 takes exactly one user and no party")
    if not user and not party:
        raise Refused(40063, "user, party")
    in_parties = {one.userid for one in call.state.members.values() if set(one.departments) & set(party)}
    if len(in_parties.union(user)) > USERS:
        raise Refused(41041)
    for userid in user:
        if call.salesperson(userid).status != ACTIVE:
            raise Refused(41054, userid)
    return user, party
