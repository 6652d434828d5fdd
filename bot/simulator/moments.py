"""客户朋友圈 as far as a company Moment goes: prepared by the API, published by members; pages 95094 and 93333."""

from bot.core.errors import Conflict, NotFound
from bot.simulator import content
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.fields import Fields
from bot.simulator.limits import DAY, MINUTE
from bot.simulator.members import UserId
from bot.simulator.records import Message, Moment
from bot.simulator.world import World, new_id

area = Area()

TEXT_CHARS = 2000
MOST = {"image": 9, "video": 1, "link": 1}  # of one kind only
SCENE = "1"  # media/upload_attachment's attachment_type
TASKS_PER_MINUTE = 10
SPAN_S = 30 * DAY
STARTED, RUNNING, FINISHED = 1, 2, 3
STEP_S = 1  # the asynchronous job reaches its next status after each


@area.api("POST", "externalcontact/add_moment_task", right="contact")
def add(call: Call) -> Answer:
    """Begin the job that asks members to publish it."""
    if not call.world.limits.allow("add_moment_task", TASKS_PER_MINUTE, MINUTE, call.world.now()):
        raise Refused(45009)
    messages, visible = _content(call), call.body.part("visible_range")
    asked = visible.part("sender_list").texts("user_list")
    members = [one for one in call.state.members.values() if one.contact and call.app.sees(one.userid)]
    parties = set(visible.part("sender_list").numbers("department_list"))
    senders = [
        one.userid for one in members
        if one.userid in asked or parties.intersection(one.departments) or not (asked or parties)
    ]  # fmt: skip
    tags = visible.part("external_contact_list").texts("tag_list")
    moment = Moment(new_id("mom"), new_id("", 43), call.world.now(), messages, senders, tags)
    moment.invalid_senders = [one for one in asked if one not in senders]
    call.state.moments[moment.moment_id] = moment
    return {"jobid": moment.jobid}


@area.api("GET", "externalcontact/get_moment_task_result", right="contact")
def result(call: Call) -> Answer:
    """How far the job is; the moment's id once it is finished. Known for a day."""
    jobid, now = call.query.text("jobid", missing=40063), call.world.now()
    moment = next((one for one in call.state.moments.values() if one.jobid == jobid), None)
    if moment is None or moment.created_at + DAY <= now:
        raise Refused(40088)
    status = min(FINISHED, STARTED + int((now - moment.created_at) / STEP_S))
    answer: Answer = {"status": status, "type": "add_moment_task"}
    if status < FINISHED:
        return answer
    invalid = {"user_list": moment.invalid_senders, "department_list": []}
    return answer | {"result": {"errcode": 0, "errmsg": "ok", "moment_id": moment.moment_id,
                                "invalid_sender_list": invalid}}  # fmt: skip


@area.api("POST", "externalcontact/get_moment_list", right="contact")
def listed(call: Call) -> Answer:
    body = call.body
    since, until = body.number("start_time", missing=40063), body.number("end_time", missing=40063)
    if not since <= until <= since + SPAN_S:
        raise body.bad("end_time", "within 30 days after start_time")
    found = [one for one in call.state.moments.values() if since <= one.created_at <= until]
    page, following = body.page(found, 20, 20)
    return {"moment_list": [_record(one) for one in page], "next_cursor": following}


@area.api("POST", "externalcontact/get_moment_task", right="contact")
def tasks(call: Call) -> Answer:
    """Who has published it: 0 not yet, 1 published."""
    moment = call.state.moments.get(call.body.text("moment_id", missing=41059))
    if moment is None:
        raise Refused(41060)
    page, following = call.body.page(moment.senders, 500, 1000)
    rows = [{"userid": one, "publish_status": int(one in moment.published)} for one in page]
    return {"task_list": rows, "next_cursor": following}


@area.act("POST", "/moments/<moment_id>/publish")
def publish(world: World, moment_id: str, userid: UserId) -> Answer:
    """A member publishes it: his customers with its tags see it."""
    moment = world.state.moments.get(moment_id)
    if moment is None or userid not in moment.senders:
        raise NotFound(f"no moment {moment_id} for {userid}")
    if userid in moment.published:
        raise Conflict(f"{userid} has published it already")
    moment.published[userid] = int(world.now())
    relations = [one for one in world.state.members[userid].relations.values() if not one.half and not one.left]
    seen = [one.external_userid for one in relations if not moment.tags or set(moment.tags).intersection(one.tags)]
    for external_userid in seen:
        for message in moment.messages:
            world.receive(external_userid, "moment", userid, message | {"moment_id": moment_id})
    return {"seen_by": seen}


def _content(call: Call) -> list[Message]:
    parts = call.body.parts("attachments")
    kinds = {part.text("msgtype") for part in parts}
    if not kinds <= MOST.keys() or len(kinds) > 1:
        raise Refused(41065, ", ".join(sorted(kinds)))
    if any(len(parts) > MOST[kind] for kind in kinds):
        raise Refused(41064)
    messages = [_attachment(call, part) for part in parts]
    if words := call.body.part("text").text("content", chars=TEXT_CHARS):
        messages.insert(0, {"msgtype": "text", "text": {"content": words}})
    if not messages:
        raise Refused(41089)
    return messages


def _attachment(call: Call, part: Fields) -> Message:
    if part.text("msgtype") == "link":
        content.media(call, part.part("link").text("media_id", missing=41006), "image", SCENE)
    return content.attachment(call, part, SCENE)


def _record(moment: Moment) -> Answer:
    row: Answer = {"moment_id": moment.moment_id, "create_time": str(int(moment.created_at)), "create_type": 0,
                   "visible_type": int(not moment.tags)}  # fmt: skip
    images = [message["image"] for message in moment.messages if message["msgtype"] == "image"]
    others = {str(one["msgtype"]): one[str(one["msgtype"])] for one in moment.messages if one["msgtype"] != "image"}
    return row | others | ({"image": images} if images else {})
