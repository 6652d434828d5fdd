"""Customer groups: read by the API, lived in by people, with the events of page 92130; pages 92120 and 92122."""

import hashlib
from typing import Literal

from bot.core.errors import Conflict, NotFound, Unacceptable
from bot.simulator.area import Answer, Area, Call
from bot.simulator.callbacks import Value
from bot.simulator.codes import Refused
from bot.simulator.members import UserId
from bot.simulator.records import GroupChat, GroupMember
from bot.simulator.world import World, moment, new_id

area = Area()

INVITED, BY_LINK, BY_QR = 1, 2, 3
JOIN_SCENE = {INVITED: 0, BY_LINK: 0, BY_QR: 3}  # how the event counts what member_list calls join_scene
QUIT_SCENE = {"self": 0, "owner": 1}
OWNERS = 100


@area.api("POST", "externalcontact/groupchat/list", right="contact")
def listed(call: Call) -> Answer:
    """Groups by status and owner; a corp of many must name owners."""
    body = call.body
    status, limit = body.number("status_filter", 0, 0, 3), body.number("limit", missing=40063, low=1, high=1000)
    owners = body.part("owner_filter").texts("userid_list", OWNERS)
    seen = [userid for userid in call.state.members if call.app.sees(userid)]
    if not owners and len(seen) > call.world.limits.visible_people:
        raise Refused(81017)
    for userid in owners:
        call.member(userid)
    wanted = set(owners or seen)
    found = [one for one in call.state.groups.values() if one.owner in wanted and not one.dismissed and not status]
    page, following = body.page(found, limit, 1000)
    rows = [{"chat_id": one.chat_id, "status": 0} for one in page]
    return {"group_chat_list": rows} | ({"next_cursor": following} if following else {})


@area.api("POST", "externalcontact/groupchat/get", right="contact")
def get(call: Call) -> Answer:
    """One group with everybody in it; names only with need_name."""
    group, named = chat(call, call.body.text("chat_id", missing=40063)), call.body.number("need_name", 0, 0, 1)
    rows = [_member(call, group, one) | ({"name": _name(call, one)} if named else {}) for one in group.members.values()]
    return {"group_chat": {
        "chat_id": group.chat_id, "name": group.name, "owner": group.owner, "create_time": group.create_time,
        "notice": group.notice, "member_list": rows, "admin_list": [], "member_version": version(group),
    }}  # fmt: skip


@area.api("POST", "externalcontact/opengid_to_chatid", right="contact")
def from_opengid(call: Call) -> Answer:
    opengid = call.body.text("opengid", missing=90511)
    found = next((one for one in call.state.groups.values() if one.opengid == opengid), None)
    if found is None:
        raise Refused(90511)
    return {"chat_id": chat(call, found.chat_id).chat_id}


@area.act("POST", "/group-chats")
def create(world: World, name: str, owner: UserId, chat_id: str | None = None, capacity: int = 200) -> Answer:
    """A member opens a customer group. `capacity`: how many people fit in by QR code (200 in WeCom)."""
    return {"chat_id": new_group(world, name, owner, chat_id, capacity).chat_id}


@area.act("GET", "/group-chats")
def all_groups(world: World) -> Answer:
    rows = [
        {"chat_id": one.chat_id, "opengid": one.opengid, "name": one.name, "owner": one.owner, "notice": one.notice,
         "capacity": one.capacity, "members": [_shown(member) for member in one.members.values()]}
        for one in world.state.groups.values() if not one.dismissed
    ]  # fmt: skip
    return {"data": rows}


@area.act("PATCH", "/group-chats/<chat_id>")
def edit(
    world: World, chat_id: str, name: str | None = None, notice: str | None = None, owner: UserId | None = None
) -> Answer:
    """The owner renames the group, posts a notice, or hands the group on; an event each."""
    group = known(world, chat_id)
    for given, field, detail in ((name, "name", "change_name"), (notice, "notice", "change_notice"),
                                 (owner, "owner", "change_owner")):  # fmt: skip
        if given is not None:
            setattr(group, field, given)
            _announce(world, group, "update", {"UpdateDetail": detail})
    if owner is not None:
        _add(world, group, world.member(owner).userid, 1, INVITED, "")
    return {}


@area.act("DELETE", "/group-chats/<chat_id>")
def dismiss(world: World, chat_id: str) -> Answer:
    group = known(world, chat_id)
    group.dismissed = True
    _announce(world, group, "dismiss", {})
    return {}


@area.act("POST", "/group-chats/<chat_id>/members")
def add_member(
    world: World,
    chat_id: str,
    external_userid: str | None = None,
    userid: UserId | None = None,
    join_scene: Literal[1, 2, 3] = 1,
    name: str | None = None,
) -> Answer:
    """Somebody joins: 1 invited, 2 by link, 3 by QR code."""
    if (external_userid is None) == (userid is None):
        raise Unacceptable.at("", "give external_userid or userid")
    group = known(world, chat_id)
    if userid is not None:
        return {"joined": join(world, group, world.member(userid, name).userid, 1, join_scene, "")}
    customer = world.customer(external_userid, name)
    return {"joined": join(world, group, customer.external_userid, 2, join_scene, "")}


@area.act("DELETE", "/group-chats/<chat_id>/members/<who>")
def remove_member(world: World, chat_id: str, who: str, by: Literal["self", "owner"] = "self") -> Answer:
    """Somebody leaves, or is removed by the owner."""
    group = known(world, chat_id)
    if who not in group.members or who == group.owner:
        raise NotFound(f"{who} is no member of {chat_id} who could leave")
    before = version(group)
    del group.members[who]
    _announce_members(world, group, "del_member", [who], before, {"QuitScene": QUIT_SCENE[by]})
    return {}


def new_group(world: World, name: str, owner: str, chat_id: str | None = None, capacity: int = 200) -> GroupChat:
    """A new group with its owner in it, announced."""
    chat_id = chat_id or new_id("wr")
    if chat_id in world.state.groups:
        raise Conflict(f"there is a group {chat_id} already")
    now = int(world.now())
    group = GroupChat(chat_id, new_id("og", 28), name, world.member(owner).userid, now, capacity=capacity)
    world.state.groups[chat_id] = group
    _add(world, group, owner, 1, INVITED, "")
    _announce(world, group, "create", {})
    return group


def join(world: World, group: GroupChat, who: str, kind: int, scene: int, state: str) -> bool:
    """Somebody joins, announced; False where she is in already. Raises Conflict where the group is full."""
    if who in group.members:
        return False
    if full(group):
        raise Conflict(f"the group {group.name} is full")
    before = version(group)
    _add(world, group, who, kind, scene, state)
    _announce_members(world, group, "add_member", [who], before, {"JoinScene": JOIN_SCENE[scene]})
    template = world.state.group_welcomes.get(group.welcome)
    for message in template.messages if template is not None and kind == 2 else []:
        world.receive(who, "group", group.owner, message | {"chat_id": group.chat_id})
    return True


def full(group: GroupChat) -> bool:
    return len(group.members) >= group.capacity


def chat(call: Call, chat_id: str) -> GroupChat:
    """A group the app may read: 40050 unknown, 49008 dismissed, 60011 its owner is out of sight."""
    group = call.state.groups.get(chat_id)
    if group is None:
        raise Refused(40050, chat_id)
    if group.dismissed:
        raise Refused(49008, chat_id)
    call.member(group.owner)
    return group


def known(world: World, chat_id: str) -> GroupChat:
    """A living group. Raises NotFound."""
    group = world.state.groups.get(chat_id)
    if group is None or group.dismissed:
        raise NotFound(f"no group {chat_id}")
    return group


def version(group: GroupChat) -> str:
    """member_version: changes with who is in."""
    return hashlib.md5("|".join(group.members).encode(), usedforsecurity=False).hexdigest()


def _add(world: World, group: GroupChat, who: str, kind: int, scene: int, state: str) -> None:
    invitor = group.owner if scene == INVITED else ""
    group.members.setdefault(who, GroupMember(who, kind, int(world.now()), scene, invitor, state))


def _announce(world: World, group: GroupChat, change: str, more: dict[str, Value]) -> None:
    if world.app.sees(group.owner):
        event: dict[str, Value] = {"MsgType": "event", "Event": "change_external_chat"}
        world.emit("contact", group.chat_id, event | {"ChatId": group.chat_id, "ChangeType": change} | more)


def _announce_members(
    world: World, group: GroupChat, detail: str, who: list[str], before: str, scene: dict[str, Value]
) -> None:
    change: dict[str, Value] = {"UpdateDetail": detail} | scene
    change |= {"MemChangeCnt": len(who), "MemChangeList": who, "LastMemVer": before, "CurMemVer": version(group)}
    _announce(world, group, "update", change)


def _member(call: Call, group: GroupChat, member: GroupMember) -> Answer:
    row: Answer = {"userid": member.userid, "type": member.type, "join_time": member.join_time,
                   "join_scene": member.join_scene, "group_nickname": ""}  # fmt: skip
    row |= {"invitor": {"userid": member.invitor}} if member.invitor and member.userid != group.owner else {}
    row |= {"state": member.state} if member.state else {}
    customer = call.state.customers.get(member.userid)
    return row | ({"unionid": customer.unionid} if customer is not None and customer.unionid else {})


def _shown(member: GroupMember) -> Answer:
    joined_at = moment(member.join_time)
    return {"id": member.userid, "type": member.type, "state": member.state, "joined_at": joined_at}


def _name(call: Call, member: GroupMember) -> str:
    known = call.state.customers.get(member.userid) or call.state.members.get(member.userid)
    return known.name if known is not None else ""
