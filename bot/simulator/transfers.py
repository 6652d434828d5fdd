"""继承: customers handed from one member to another, on the job and after he left; pages 92125, 94088, 92124, 94081.

A transfer that is begun goes by itself after 24 hours, unless she refuses or the successor is full. `settle` lets those
happen whose time has come; whoever asks or acts comes after it.
"""

from typing import Literal

from bot.core.errors import NotFound
from bot.simulator.area import Answer, Area, Call
from bot.simulator.callbacks import Value
from bot.simulator.codes import Refused
from bot.simulator.friends import announce
from bot.simulator.limits import DAY
from bot.simulator.records import Message, Relation, Transfer
from bot.simulator.world import World

area = Area()

CUSTOMERS, MESSAGE_CHARS = 100, 200
DONE, WAITING, REFUSED, FULL = 1, 2, 3, 4
ON_THE_JOB, WITHIN_S = 2, 90 * DAY  # times a customer may be handed on the job
ASSIGNED = 202  # add_way
REASONS = {"customer_refused": REFUSED, "customer_limit_exceed": FULL}


@area.api("POST", "externalcontact/transfer_customer", right="contact")
def on_the_job(call: Call) -> Answer:
    """Begin handing customers of a member who is there to another; each has an errcode of her own."""
    handover = call.salesperson(call.body.text("handover_userid", missing=41009)).userid
    return _begin(call, handover, resigned=False)


@area.api("POST", "externalcontact/resigned/transfer_customer", right="contact")
def of_resigned(call: Call) -> Answer:
    """The same for a member who has left the corp: 40097 where he has not."""
    handover = call.body.text("handover_userid", missing=41009)
    if handover not in call.state.resigned:
        raise Refused(40097, handover)
    return _begin(call, handover, resigned=True)


@area.api("POST", "externalcontact/transfer_result", right="contact")
def result(call: Call) -> Answer:
    return _result(call, resigned=False)


@area.api("POST", "externalcontact/resigned/transfer_result", right="contact")
def result_of_resigned(call: Call) -> Answer:
    return _result(call, resigned=True)


@area.api("POST", "externalcontact/get_unassigned_list", right="contact")
def unassigned(call: Call) -> Answer:
    """Customers of members who left, with when they left."""
    rows: list[Answer] = [
        {"handover_userid": gone.userid, "external_userid": her, "dimission_time": int(gone.at)}
        for gone in call.state.resigned.values() for her in gone.relations
    ]  # fmt: skip
    page, following = call.body.page(rows, 1000, 1000, size="page_size")
    return {"info": page, "is_last": not following, "next_cursor": following}


@area.act("POST", "/transfers/<external_userid>/end")
def end(
    world: World,
    external_userid: str,
    reason: Literal["customer_refused", "customer_limit_exceed"] = "customer_refused",
    told: bool = True,
) -> Answer:
    """She refuses, or the successor is full. `told` False: without a callback, as people report of 暂不添加."""
    for one in world.state.transfers:
        if one.external_userid == external_userid and one.status == WAITING:
            one.status = REASONS[reason]
            if told and world.app.sees(one.takeover):
                about: dict[str, Value] = {"UserID": one.takeover, "ExternalUserID": external_userid}
                event: dict[str, Value] = {"MsgType": "event", "Event": "change_external_contact"}
                failed: dict[str, Value] = {"ChangeType": "transfer_fail", "FailReason": reason}
                world.emit("contact", external_userid, event | failed | about)
            return {}
    raise NotFound(f"{external_userid} is not being transferred")


def settle(world: World) -> None:
    """Let the transfers happen whose 24 hours are over."""
    for one in world.state.transfers:
        if one.status == WAITING and one.at + DAY <= world.now():
            one.status, one.takeover_time = DONE, int(one.at + DAY)
            _hand_over(world, one)


def _begin(call: Call, handover: str, *, resigned: bool) -> Answer:
    body = call.body
    takeover = call.salesperson(body.text("takeover_userid", missing=41009)).userid
    message = body.text("transfer_success_msg", chars=MESSAGE_CHARS)
    if takeover == handover:
        raise Refused(40130)
    rows: list[Answer] = []
    for her in body.texts("external_userid", CUSTOMERS, missing=41035):
        errcode = _refusal(call, handover, her, resigned)
        if not errcode:
            new = Transfer(her, handover, takeover, call.world.now(), resigned=resigned, message=message)
            call.state.transfers.append(new)
        rows.append({"external_userid": her, "errcode": errcode})
    return {"customer": rows}


def _refusal(call: Call, handover: str, her: str, resigned: bool) -> int:
    """Why she can't be handed on: 40096 unknown, 40131 not his, 40129 under way, 40128 twice in 90 days; 0 she can."""
    state = call.state
    if her not in state.customers:
        return 40096
    his = state.resigned[handover].relations if resigned else state.members[handover].relations
    if her not in his or his[her].half:
        return 40131
    hers = [one for one in state.transfers if one.external_userid == her]
    if any(one.status == WAITING for one in hers):
        return 40129
    lately = [one for one in hers if one.status == DONE and not one.resigned
              and one.at > call.world.now() - WITHIN_S]  # fmt: skip
    return 40128 if not resigned and len(lately) >= ON_THE_JOB else 0


def _result(call: Call, *, resigned: bool) -> Answer:
    body = call.body
    between = body.text("handover_userid", missing=41009), body.text("takeover_userid", missing=41009)
    newest = {
        one.external_userid: one for one in call.state.transfers
        if (one.handover, one.takeover) == between and one.resigned == resigned
    }  # fmt: skip
    page, following = body.page([*newest.values()], 1000, 1000)
    rows = [{"external_userid": one.external_userid, "status": one.status, "takeover_time": one.takeover_time}
            for one in page]  # fmt: skip
    return {"customer": rows, "next_cursor": following}


def _hand_over(world: World, one: Transfer) -> None:
    """The old relation ends with an event of its own, where he is still there, and the successor has her."""
    state, customer = world.state, world.state.customers[one.external_userid]
    if one.resigned:
        state.resigned[one.handover].relations.pop(one.external_userid, None)
    elif one.handover in state.members:
        old = state.members[one.handover].relations.pop(one.external_userid, None)
        if old is not None:
            customer.followers.remove(one.handover)
            announce(world, old, "del_external_contact", {"Source": "DELETE_BY_TRANSFER"})
    if one.takeover not in state.members or one.external_userid in state.members[one.takeover].relations:
        return
    new = Relation(one.takeover, one.external_userid, int(world.now()), add_way=ASSIGNED, welcomed=True)
    new.oper_userid = one.handover
    state.members[one.takeover].relations[one.external_userid] = new
    customer.followers.append(one.takeover)
    announce(world, new, "add_external_contact")
    if one.message:
        said: Message = {"msgtype": "text", "text": {"content": one.message}}
        world.receive(one.external_userid, "transfer", one.takeover, said)
