"""企业群发: the API prepares, each member confirms, WeCom counts what a customer gets; pages 92135 and 93338.

How many mass messages reach one customer, or one group, is the admin's choice: as many a month as it has days (since
2025-11), 7 a week, or 1 a day, counted in Shanghai's calendar.
"""

import calendar
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from bot.core.errors import Conflict, NotFound
from bot.simulator import content
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.groups import chat
from bot.simulator.limits import DAY
from bot.simulator.members import UserId
from bot.simulator.records import MassResult, MassSend, MassTask, Message, Relation
from bot.simulator.world import World, moment, new_id

area = Area()

CUSTOMERS, CHATS, FILTER_TAGS = 10_000, 2000, 100
SPAN_S = 31 * DAY
REMINDERS = 3  # in 24 hours
WAITING, SENT, NO_FRIEND, ENOUGH = 0, 1, 2, 3
DONE = 2  # of a task
ZONE = ZoneInfo("Asia/Shanghai")


@area.api("POST", "externalcontact/add_msg_template", right="contact")
def add(call: Call) -> Answer:
    """Prepare a task per member; nothing is sent before he confirms. Whom nobody can reach is in `fail_list`."""
    kind = call.body.text("chat_type") or "single"
    if kind not in ("single", "group"):
        raise Refused(86214)
    messages = content.checked(call, call.body)
    targets, failed = _chats(call) if kind == "group" else _customers(call)
    if not targets:
        raise Refused(41048)
    send = MassSend(new_id("msg"), "group" if kind == "group" else "single", call.world.now(), "", messages)
    for target, userid in targets:
        send.tasks.setdefault(userid, MassTask(userid, [])).results.append(MassResult(target))
    call.state.mass_sends[send.msgid] = send
    return {"fail_list": failed, "msgid": send.msgid}


@area.api("POST", "externalcontact/get_groupmsg_list_v2", right="contact")
def listed(call: Call) -> Answer:
    """Mass sends of up to a month, by kind and creator. 41063 while one of them is being dispatched."""
    body = call.body
    kind = body.text("chat_type") or "single"
    since, until = body.number("start_time", missing=40063), body.number("end_time", missing=40063)
    if not since <= until <= since + SPAN_S:
        raise body.bad("end_time", "within a month after start_time")
    creator, which = body.text("creator"), body.number("filter_type", 2, 0, 2)
    found = [
        one for one in call.state.mass_sends.values()
        if one.chat_type == kind and since <= one.created_at <= until and creator in ("", one.creator)
        and (which == 2 or which == bool(one.creator))
    ]  # fmt: skip
    for one in found:
        _check_dispatched(call, one)
    page, following = body.page(found, 50, 100)
    return {"group_msg_list": [_record(one) for one in page], "next_cursor": following}


@area.api("POST", "externalcontact/get_groupmsg_task", right="contact")
def tasks(call: Call) -> Answer:
    """Who has confirmed: status 0 not yet, 2 sent."""
    send = _named(call)
    _check_dispatched(call, send)
    page, following = call.body.page(list(send.tasks.values()), 500, 1000)
    rows = [{"userid": one.userid, "status": one.status} | _sent_at(one) for one in page]
    return {"task_list": rows, "next_cursor": following}


@area.api("POST", "externalcontact/get_groupmsg_send_result", right="contact")
def results(call: Call) -> Answer:
    """What became of it for one member's customers; of group chats only those already sent to."""
    send, userid = _named(call), call.body.text("userid", missing=41009)
    _check_dispatched(call, send)
    if userid not in send.tasks:
        raise Refused(40003, userid)
    rows = [one for one in send.tasks[userid].results if send.chat_type == "single" or one.status != WAITING]
    page, following = call.body.page(rows, 500, 1000)
    name = "external_userid" if send.chat_type == "single" else "chat_id"
    shown = [{name: one.target, "userid": userid, "status": one.status} | _sent_at(one) for one in page]
    return {"send_list": shown, "next_cursor": following}


@area.api("POST", "externalcontact/remind_groupmsg_send", right="contact")
def remind(call: Call) -> Answer:
    """Remind members who have not confirmed, three times a day."""
    send, now = _named(call), call.world.now()
    if send.cancelled:
        raise Refused(41093)
    send.reminders = [one for one in send.reminders if one + DAY > now]
    if len(send.reminders) >= REMINDERS:
        raise Refused(41094)
    send.reminders.append(now)
    return {}


@area.api("POST", "externalcontact/cancel_groupmsg_send", right="contact")
def cancel(call: Call) -> Answer:
    """Stop what has not been confirmed yet."""
    send = _named(call)
    if send.cancelled:
        raise Refused(41093)
    send.cancelled = True
    return {}


@area.act("GET", "/groupmsg")
def waiting(world: World, userid: str | None = None) -> Answer:
    """What members see in their client to confirm, and what they have confirmed."""
    rows = [
        {"msgid": send.msgid, "chat_type": send.chat_type, "userid": task.userid, "created_at": moment(send.created_at),
         "status": "cancelled" if send.cancelled else "sent" if task.status == DONE else "waiting",
         "targets": [one.target for one in task.results], "reminders": len(send.reminders), "messages": send.messages}
        for send in world.state.mass_sends.values() for task in send.tasks.values() if userid in (None, task.userid)
    ]  # fmt: skip
    return {"data": rows}


@area.act("POST", "/groupmsg/<msgid>/confirm")
def confirm(world: World, msgid: str, userid: UserId) -> Answer:
    """A member confirms his task: now it is sent, as far as friends and quota allow."""
    send = world.state.mass_sends.get(msgid)
    if send is None or userid not in send.tasks:
        raise NotFound(f"no task {msgid} for {userid}")
    if send.cancelled or send.tasks[userid].status == DONE:
        raise Conflict("the task is cancelled or confirmed already")
    _send(world, send, send.tasks[userid])
    return {"results": {one.target: one.status for one in send.tasks[userid].results}}


@area.act("POST", "/groupmsg")
def own(world: World, userid: UserId, text: str, external_userids: list[str] | None = None) -> Answer:
    """A member sends a mass message of his own to customers of his, which counts in their quota."""
    targets = external_userids or list(world.member(userid).relations)
    send = MassSend(new_id("msg"), "single", world.now(), userid, [{"msgtype": "text", "text": {"content": text}}])
    send.tasks[userid] = MassTask(userid, [MassResult(one) for one in targets])
    world.state.mass_sends[send.msgid] = send
    _send(world, send, send.tasks[userid])
    return {"msgid": send.msgid}


@area.act("POST", "/groupmsg/quota")
def quota(world: World, per: Literal["month", "week", "day"]) -> Answer:
    """The admin's rule: the month's days a month, 7 a week, or 1 a day."""
    world.state.mass_quota = per
    return {"per": per}


def _customers(call: Call) -> tuple[list[tuple[str, str]], list[str]]:
    """(customer, member who is to confirm) for each who can be reached, and the ids of the others."""
    body = call.body
    asked, sender = body.texts("external_userid", CUSTOMERS), body.text("sender", size=64)
    groups = [set(one.texts("tag_list", FILTER_TAGS)) for one in body.part("tag_filter").parts("group_list")]
    if not asked and not sender and not groups:
        raise Refused(40063, "external_userid, sender")
    if sender:
        call.salesperson(sender)
    targets, failed = list[tuple[str, str]](), list[str]()
    for external_userid in asked or call.state.customers:
        relation = _speaker(call, external_userid, sender)
        if relation is None:
            failed += [external_userid] if asked else []
        elif all(group.intersection(relation.tags) for group in groups):
            targets.append((external_userid, relation.userid))
    return targets, failed


def _speaker(call: Call, external_userid: str, sender: str) -> Relation | None:
    """The relation through which she is written to: the sender's, else that of the member who last spoke to her."""
    customer = call.state.customers.get(external_userid)
    members = [call.state.members[userid] for userid in (customer.followers if customer is not None else [])]
    relations = [
        one.relations[external_userid] for one in members
        if one.contact and call.app.sees(one.userid) and sender in ("", one.userid)
    ]  # fmt: skip
    whole = [one for one in relations if not one.half]
    return max(whole, key=lambda one: one.last_contact, default=None)


def _chats(call: Call) -> tuple[list[tuple[str, str]], list[str]]:
    sender = call.salesperson(call.body.text("sender", size=64, missing=41009)).userid
    asked = call.body.texts("chat_id_list", CHATS)
    own = [one.chat_id for one in call.state.groups.values() if one.owner == sender and not one.dismissed]
    for chat_id in asked:
        chat(call, chat_id)
    return [(one, sender) for one in own if one in asked or not asked], [one for one in asked if one not in own]


def _named(call: Call) -> MassSend:
    send = call.state.mass_sends.get(call.body.text("msgid", missing=41046))
    if send is None:
        raise Refused(41047)
    return send


def _check_dispatched(call: Call, send: MassSend) -> None:
    if not send.creator and send.created_at + call.world.limits.dispatch_s > call.world.now():
        raise Refused(41063)


def _send(world: World, send: MassSend, task: MassTask) -> None:
    now = int(world.now())
    for result in task.results:
        result.status = _status(world, send, task, result.target)
        if result.status == SENT:
            result.send_time = now
            world.state.mass_received.setdefault(result.target, []).append(world.now())
            _deliver(world, send, task, result.target)
    task.status, task.send_time = DONE, now


def _status(world: World, send: MassSend, task: MassTask, target: str) -> int:
    if send.chat_type == "single":
        relation = world.state.members[task.userid].relations.get(target)
        if relation is None or relation.left or relation.half:
            return NO_FRIEND
    elif world.state.groups[target].dismissed:
        return WAITING
    return ENOUGH if _has_enough(world, target) else SENT


def _has_enough(world: World, target: str) -> bool:
    rule, today = world.state.mass_quota, datetime.fromtimestamp(world.now(), ZONE)
    days = [datetime.fromtimestamp(at, ZONE) for at in world.state.mass_received.get(target, [])]
    if rule == "day":
        return any(one.date() == today.date() for one in days)
    if rule == "week":
        return sum(one.isocalendar()[:2] == today.isocalendar()[:2] for one in days) >= 7
    most = calendar.monthrange(today.year, today.month)[1]
    return sum((one.year, one.month) == (today.year, today.month) for one in days) >= most


def _deliver(world: World, send: MassSend, task: MassTask, target: str) -> None:
    about: Message = {"msgid": send.msgid}
    readers, via = [target], "mass"
    if send.chat_type == "group":
        about, via = about | {"chat_id": target}, "group"
        readers = [one.userid for one in world.state.groups[target].members.values() if one.userid != task.userid]
    for reader in readers:
        for message in send.messages:
            world.receive(reader, via, task.userid, message | about)


def _record(send: MassSend) -> Answer:
    row: Answer = {
        "msgid": send.msgid,
        "create_time": str(int(send.created_at)),
        "create_type": int(bool(send.creator)),
    }
    row |= {"creator": send.creator} if send.creator else {}
    texts = [one["text"] for one in send.messages if one["msgtype"] == "text"]
    row |= {"text": texts[0]} if texts else {}
    return row | {"attachments": [one for one in send.messages if one["msgtype"] != "text"]}


def _sent_at(one: MassTask | MassResult) -> Answer:
    return {"send_time": one.send_time} if one.send_time else {}
