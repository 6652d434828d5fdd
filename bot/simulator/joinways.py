"""加入群聊 join ways and 入群欢迎语 templates; pages 92229 and 92366."""

from bot.core.errors import Conflict, NotFound
from bot.simulator import content
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.groups import BY_QR, chat, full, join, known, new_group
from bot.simulator.records import Customer, GroupWelcome, JoinWay
from bot.simulator.ways import MINI_PROGRAM, QR, REMARK_CHARS, STATE_CHARS, count, qr_code
from bot.simulator.world import World, new_id

area = Area()

CHATS = 5
BASE_NAME_CHARS = 40
TEMPLATES = 100
TEMPLATE_SIZE, EDITED_SIZE = 3000, 4000  # bytes; the page of `edit` allows more than that of `add`


@area.api("POST", "externalcontact/groupchat/add_join_way", right="contact")
def add(call: Call) -> Answer:
    """A new way; the address of its QR code is only told by get_join_way."""
    if count(call.state) >= call.world.limits.contact_ways:
        raise Refused(41045)
    way = _filled(call, new_id("", 32))
    call.state.join_ways[way.config_id] = way
    return {"config_id": way.config_id}


@area.api("POST", "externalcontact/groupchat/get_join_way", right="contact")
def get(call: Call) -> Answer:
    way = _named(call)
    return {"join_way": {
        "config_id": way.config_id, "scene": way.scene, "remark": way.remark, "state": way.state,
        "auto_create_room": int(way.auto_create_room), "room_base_name": way.room_base_name,
        "room_base_id": way.room_base_id, "chat_id_list": way.chat_id_list,
        "qr_code": qr_code(call.world, way.config_id),
    }}  # fmt: skip


@area.api("POST", "externalcontact/groupchat/update_join_way", right="contact")
def update(call: Call) -> Answer:
    """Overwrite the whole way; what is left out falls back to its default."""
    way = _named(call)
    call.state.join_ways[way.config_id] = _filled(call, way.config_id)
    return {}


@area.api("POST", "externalcontact/groupchat/del_join_way", right="contact")
def delete(call: Call) -> Answer:
    del call.state.join_ways[_named(call).config_id]
    return {}


@area.api("POST", "externalcontact/group_welcome_template/add", right="contact")
def add_template(call: Call) -> Answer:
    if len(call.state.group_welcomes) >= TEMPLATES:
        raise Refused(41055)
    messages = content.checked(call, call.body, TEMPLATE_SIZE)
    template = GroupWelcome(new_id("msg"), call.app.secret, messages)
    call.state.group_welcomes[template.template_id] = template
    return {"template_id": template.template_id}


@area.api("POST", "externalcontact/group_welcome_template/edit", right="contact")
def edit_template(call: Call) -> Answer:
    template = _template(call)
    template.messages = content.checked(call, call.body, EDITED_SIZE)
    return {}


@area.api("POST", "externalcontact/group_welcome_template/get", right="contact")
def get_template(call: Call) -> Answer:
    shown = (message for message in _template(call).messages)
    return {str(message["msgtype"]): message[str(message["msgtype"])] for message in shown}


@area.api("POST", "externalcontact/group_welcome_template/del", right="contact")
def delete_template(call: Call) -> Answer:
    del call.state.group_welcomes[_template(call).template_id]
    return {}


@area.act("POST", "/group-chats/<chat_id>/welcome")
def use_template(world: World, chat_id: str, template_id: str) -> Answer:
    """The owner picks a template: newcomers get it from now on."""
    group = known(world, chat_id)
    if template_id and template_id not in world.state.group_welcomes:
        raise NotFound(f"no group welcome template {template_id}")
    group.welcome = template_id
    return {}


def scan(world: World, way: JoinWay, customer: Customer) -> Answer:
    """She scans the code and joins the first chat with room, or a new one. Raises Conflict where all are full."""
    chats = [group for one in way.chat_id_list if not (group := world.state.groups[one]).dismissed]
    hers = [group for group in chats if customer.external_userid in group.members]
    room = hers + [group for group in chats if not full(group)]
    if not room and not way.auto_create_room:
        raise Conflict("every group behind this code is full")
    if not room:
        owner = world.state.groups[way.chat_id_list[0]].owner
        room = [new_group(world, f"{way.room_base_name}{way.room_base_id}", owner)]
        way.room_base_id += 1
        way.chat_id_list = [*way.chat_id_list, room[0].chat_id][-CHATS:]
    joined = join(world, room[0], customer.external_userid, 2, BY_QR, way.state)
    return {"chat_id": room[0].chat_id, "joined": joined, "state": way.state}


def _named(call: Call) -> JoinWay:
    way = call.state.join_ways.get(call.body.text("config_id", missing=41043))
    if way is None:
        raise Refused(41044)
    return way


def _filled(call: Call, config_id: str) -> JoinWay:
    body = call.body
    scene = body.number("scene", missing=41038)
    if scene not in (MINI_PROGRAM, QR):
        raise Refused(41040)
    chats = body.texts("chat_id_list", CHATS, missing=40063, too_many=41091)
    return JoinWay(
        config_id, scene, body.text("remark")[:REMARK_CHARS], body.flag("auto_create_room", default=True),
        body.text("room_base_name", chars=BASE_NAME_CHARS), body.number("room_base_id", 1),
        [chat(call, one).chat_id for one in chats], body.text("state", chars=STATE_CHARS),
    )  # fmt: skip


def _template(call: Call) -> GroupWelcome:
    template = call.state.group_welcomes.get(call.body.text("template_id", missing=40063))
    if template is None:
        raise Refused(40037)
    if template.owner != call.app.secret:
        raise Refused(41058)
    return template
