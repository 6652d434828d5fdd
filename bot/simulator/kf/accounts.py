"""微信客服 accounts, the links that open them, and their servicers; pages 94662, 94665 and 94646."""

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from bot.core.errors import NotFound
from bot.simulator import content
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.kf.log import append_event, known, named
from bot.simulator.members import UserId
from bot.simulator.records import KfAccount, KfLink
from bot.simulator.world import World, change, new_id

area = Area()

NAME_CHARS, SCENE_SIZE, SCENE_PARAM_SIZE = 16, 32, 128
ADD_USERS, ADD_DEPARTMENTS, DEL_DEPARTMENTS = 100, 20, 100
_SCENE = re.compile(r"[0-9a-zA-Z_-]*")


@area.api("POST", "kf/account/add", right="kf")
def add(call: Call) -> Answer:
    name = call.body.text("name", chars=NAME_CHARS, missing=95006, too_long=95006)
    media_id = call.body.text("media_id", size=128, missing=41006)
    content.media(call, media_id, "image")
    if len(call.state.kf_accounts) >= call.world.limits.kf_accounts:
        raise Refused(95005)
    account = KfAccount(new_id("wk"), name, media_id)
    call.state.kf_accounts[account.open_kfid] = account
    return {"open_kfid": account.open_kfid}


@area.api("POST", "kf/account/del", right="kf")
def delete(call: Call) -> Answer:
    del call.state.kf_accounts[named(call).open_kfid]
    return {}


@area.api("POST", "kf/account/update", right="kf")
def update(call: Call) -> Answer:
    account = named(call)
    name, media_id = call.body.text("name", chars=NAME_CHARS, too_long=95006), call.body.text("media_id", size=128)
    if media_id:
        content.media(call, media_id, "image")
    account.name, account.media_id = name or account.name, media_id or account.media_id
    return {}


@area.api("POST", "kf/account/list", right="kf")
def listed(call: Call) -> Answer:
    start, limit = call.body.number("offset"), call.body.number("limit", 100, 1, 100)
    accounts = list(call.state.kf_accounts.values())[start : start + limit]
    return {"account_list": [{
        "open_kfid": account.open_kfid, "name": account.name, "manage_privilege": True,
        "avatar": f"{call.world.url}/sim/media/{account.media_id}" if account.media_id else "",
    } for account in accounts]}  # fmt: skip


@area.api("POST", "kf/add_contact_way", right="kf")
def link(call: Call) -> Answer:
    """A link that opens the account; with a scene, `&scene_param=` may be added to it, which the event then carries."""
    account = named(call)
    scene = call.body.text("scene", size=SCENE_SIZE)
    if not _SCENE.fullmatch(scene):
        raise call.body.bad("scene", "letters, digits, _ and -")
    links = call.state.kf_links
    code = next((code for code, one in links.items() if one == KfLink(account.open_kfid, scene)), None)
    if code is None:
        code = new_id("kfc", 20)
        links[code] = KfLink(account.open_kfid, scene)
    query = f"?{urlencode({'enc_scene': f'ENC{code[3:]}'})}" if scene else ""
    return {"url": f"{call.world.url}/kf/{code}{query}"}


@area.api("POST", "kf/servicer/add", right="kf")
def add_servicers(call: Call) -> Answer:
    """Members and departments join; each with its own result, `ignored` where it was there already."""
    account, rows = named(call), list[Answer]()
    for userid in call.body.texts("userid_list", ADD_USERS):
        known_member = userid in call.state.members
        rows.append(_result("userid", userid, 0 if known_member else 60111, userid in account.servicers))
        if known_member:
            account.servicers.setdefault(userid, True)
    for department in call.body.numbers("department_id_list", ADD_DEPARTMENTS):
        rows.append(_result("department_id", department, 0, department in account.departments))
        account.departments = list(dict.fromkeys([*account.departments, department]))
    return _results(rows)


@area.api("POST", "kf/servicer/del", right="kf")
def delete_servicers(call: Call) -> Answer:
    account, rows = named(call), list[Answer]()
    for userid in call.body.texts("userid_list", ADD_USERS):
        rows.append(_result("userid", userid, 0, account.servicers.pop(userid, None) is None))
    for department in call.body.numbers("department_id_list", DEL_DEPARTMENTS):
        rows.append(_result("department_id", department, 0, department not in account.departments))
        account.departments = [one for one in account.departments if one != department]
    return _results(rows)


@area.api("GET", "kf/servicer/list", right="kf")
def servicers(call: Call) -> Answer:
    account = named(call)
    rows: list[Answer] = [
        {"userid": userid, "status": 0} if receiving else {"userid": userid, "status": 1, "stop_type": 0}
        for userid, receiving in account.servicers.items()
    ]
    return {"servicer_list": rows + [{"department_id": one} for one in account.departments]}


@area.act("POST", "/kf/accounts")
def create(
    world: World, name: str | None = None, open_kfid: str | None = None, native_welcome: bool | None = None
) -> Answer:
    """The admin makes an account, or renames it, or gives it a welcome of its own in the console."""
    account = known(world, open_kfid or new_id("wk"))
    change(account, name=name, native_welcome=native_welcome)
    return {"open_kfid": account.open_kfid}


@area.act("GET", "/kf/accounts")
def accounts(world: World) -> Answer:
    return {"data": [{"open_kfid": one.open_kfid, "name": one.name, "servicers": one.servicers}
                     for one in world.state.kf_accounts.values()]}  # fmt: skip


@area.act("POST", "/kf/servicers")
def servicer(world: World, open_kfid: str, userid: UserId, receiving: bool = True) -> Answer:
    """A member starts or stops receiving customers in his client; he becomes a servicer where he was none."""
    account, member = known(world, open_kfid), world.member(userid)
    changed = account.servicers.get(member.userid, not receiving) != receiving
    account.servicers[member.userid] = receiving
    if changed:
        status = {"status": 1} if receiving else {"status": 2, "stop_type": 0}
        append_event(world, account, "servicer_status_change", {"servicer_userid": member.userid, **status})
    return {"servicers": account.servicers}


def opened(world: World, url: str) -> tuple[str, str, str]:
    """What a link from kf/add_contact_way says: account, scene and scene_param. Raises NotFound for a dead one."""
    parts = urlsplit(url)
    link = world.state.kf_links.get(parts.path.rsplit("/", 1)[-1].removesuffix(".png"))
    if link is None or link.open_kfid not in world.state.kf_accounts:
        raise NotFound(f"{url} opens no 微信客服 account")
    param = parse_qs(parts.query).get("scene_param", [""])[0] if link.scene else ""
    return link.open_kfid, link.scene, param.encode()[:SCENE_PARAM_SIZE].decode(errors="ignore")


def _result(name: str, value: str | int, errcode: int, ignored: bool) -> Answer:
    return {name: value, "errcode": errcode, "errmsg": "ignored" if ignored else "success" if not errcode else "fail"}


def _results(rows: list[Answer]) -> Answer:
    if not rows:
        raise Refused(40063, "userid_list, department_id_list")
    return {"result_list": rows}
