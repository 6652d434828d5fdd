"""Customers and members find and lose each other: what happens in the clients, with the callbacks of page 92130."""

from typing import Literal

from bot.core.errors import NotFound
from bot.simulator.area import Answer, Area
from bot.simulator.callbacks import Value
from bot.simulator.members import UserId
from bot.simulator.records import Customer, Relation, WelcomeCode
from bot.simulator.world import World, change, moment, new_id

area = Area()

BY_QR, BY_SEARCH = 1, 2


@area.act("POST", "/contacts")
def add(
    world: World,
    userid: UserId,
    external_userid: str | None = None,
    name: str | None = None,
    gender: Literal[0, 1, 2] | None = None,
    unionid: str | None = None,
    avatar: str | None = None,
    corp_name: str | None = None,
    state: str = "",
    half: bool = False,
    add_way: int | None = None,
) -> Answer:
    """A customer adds a member. `half`: without approval, and he has not added back yet."""
    customer = world.customer(external_userid, name)
    change(customer, gender=gender, unionid=unionid, avatar=avatar, corp_name=corp_name)
    way = add_way if add_way is not None else BY_QR if state else BY_SEARCH
    added, code = befriend(world, userid, customer, state=state, add_way=way, half=half)
    return {"external_userid": customer.external_userid, "welcome_code": code, "added": added}


@area.act("GET", "/contacts")
def contacts(world: World, userid: str | None = None) -> Answer:
    """All customers, or those of one member, with their relations."""
    shown = []
    for customer in world.state.customers.values():
        if userid is None or userid in customer.followers:
            relations = [world.state.members[one].relations[customer.external_userid] for one in customer.followers]
            shown.append({
                "external_userid": customer.external_userid, "name": customer.name, "gender": customer.gender,
                "unionid": customer.unionid or None, "avatar": customer.avatar, "type": customer.type,
                "relations": [_shown(world, one) for one in relations],
            })  # fmt: skip
    return {"data": shown}


@area.act("PATCH", "/contacts/<external_userid>")
def edit(
    world: World,
    external_userid: str,
    userid: str,
    remark: str | None = None,
    description: str | None = None,
    remark_mobiles: list[str] | None = None,
) -> Answer:
    """A member edits what he calls her in his client."""
    relation = known(world, userid, external_userid)
    change(relation, remark=remark, description=description, remark_mobiles=remark_mobiles)
    announce(world, relation, "edit_external_contact")
    return _shown(world, relation)


@area.act("DELETE", "/contacts/<external_userid>")
def delete(world: World, external_userid: str, userid: str, by: Literal["customer", "staff"] = "customer") -> Answer:
    """One deletes the other. Her deletion leaves him a one-way relation the API may still touch; his does not."""
    relation = known(world, userid, external_userid)
    if by == "customer":
        relation.left = True
        announce(world, relation, "del_follow_user")
    else:
        del world.state.members[userid].relations[external_userid]
        world.state.customers[external_userid].followers.remove(userid)
        announce(world, relation, "del_external_contact")
    return {}


@area.act("POST", "/chats")
def chat(world: World, userid: str, external_userid: str) -> Answer:
    """They talk: no callback, but now a welcome comes too late, and he is the member who last spoke to her."""
    relation = known(world, userid, external_userid)
    relation.chatted, relation.last_contact = True, world.now()
    return {}


def befriend(
    world: World, userid: str, customer: Customer, *, state: str, add_way: int, half: bool
) -> tuple[bool, str | None]:
    """Make them friends: whether anything happened, and the welcome code WeCom issued, if one.

    Friends already: no event, no state, no code. A half relation becomes a whole one with a second event, whose code
    is missing where the first one's was used.
    """
    member, now = world.member(userid), world.now()
    relation = member.relations.get(customer.external_userid)
    if relation is not None and not relation.left and (half or not relation.half):
        return False, None
    if relation is None:
        relation = member.relations[customer.external_userid] = Relation(userid, customer.external_userid, int(now))
        customer.followers.append(userid)
    if relation.left or not relation.half:
        change(relation, createtime=int(now), state=state, add_way=add_way, oper_userid=customer.external_userid)
        change(relation, left=False, welcomed=False, chatted=False, last_contact=now)
    relation.half = half
    code = None
    if member.contact and not member.native_welcome and not relation.welcomed and not relation.chatted:
        code = new_id("", 43)
        world.state.welcome_codes[code] = WelcomeCode(code, userid, customer.external_userid, now)
    extra: dict[str, Value] = {"State": relation.state} if relation.state else {}
    extra |= {"WelcomeCode": code} if code else {}
    announce(world, relation, "add_half_external_contact" if half else "add_external_contact", extra)
    return True, code


def announce(world: World, relation: Relation, change: str, extra: dict[str, Value] | None = None) -> None:
    """A change_external_contact event, where the member has 客户联系 and the app sees him."""
    member = world.state.members[relation.userid]
    if member.contact and world.app.sees(relation.userid):
        about: dict[str, Value] = {"UserID": relation.userid, "ExternalUserID": relation.external_userid}
        event: dict[str, Value] = {"MsgType": "event", "Event": "change_external_contact", "ChangeType": change}
        world.emit("contact", relation.external_userid, event | about | (extra or {}))


def known(world: World, userid: str, external_userid: str) -> Relation:
    """A relation that must be there. Raises NotFound."""
    member = world.state.members.get(userid)
    if member is None or external_userid not in member.relations:
        raise NotFound(f"{external_userid} is no contact of {userid}")
    return member.relations[external_userid]


def _shown(world: World, relation: Relation) -> Answer:
    return {
        "userid": relation.userid, "name": world.state.members[relation.userid].name, "remark": relation.remark,
        "added_at": moment(relation.createtime), "state": relation.state, "half": relation.half,
        "left": relation.left, "tags": relation.tags, "personal_tags": relation.personal_tags,
    }  # fmt: skip
