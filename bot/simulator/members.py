"""The corp's members as an app may read them; pages 90196 and 92571."""

from typing import Annotated

from pydantic import Field

from bot.simulator.area import Answer, Area, Call
from bot.simulator.records import Member, Resigned
from bot.simulator.world import World, change

area = Area()

ACTIVE, NOT_ACTIVATED = 1, 4  # status
UserId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$")]


@area.api("GET", "user/get")
def get(call: Call) -> Answer:
    """Name and supervisor, which self-built apps still get; mobile and avatar have been withheld since 2022."""
    member = call.member(call.query.text("userid", size=64, missing=41009))
    return {
        "userid": member.userid, "name": member.name, "department": member.departments,
        "direct_leader": member.leaders, "status": member.status, "main_department": member.departments[0],
    }  # fmt: skip


@area.api("GET", "externalcontact/get_follow_user_list", right="contact")
def follow_users(call: Call) -> Answer:
    """Members with 客户联系 in the app's visible range."""
    seen = (member for member in call.state.members.values() if member.contact and call.app.sees(member.userid))
    return {"follow_user": [member.userid for member in seen]}


@area.act("POST", "/staff")
def staff(
    world: World,
    userid: UserId,
    name: str | None = None,
    departments: list[int] | None = None,
    leaders: list[str] | None = None,
    contact: bool | None = None,
    native_welcome: bool | None = None,
    active: bool | None = None,
) -> Answer:
    """A member joins, or is changed: only what is given is."""
    member = world.member(userid, name)
    status = None if active is None else (ACTIVE if active else NOT_ACTIVATED)
    change(
        member, departments=departments, leaders=leaders, contact=contact, native_welcome=native_welcome, status=status
    )
    return _shown(member)


@area.act("GET", "/staff")
def staff_list(world: World) -> Answer:
    return {"data": [_shown(member) for member in world.state.members.values()]}


@area.act("DELETE", "/staff/<userid>")
def resign(world: World, userid: str) -> Answer:
    """A member leaves the corp; his relations wait for a successor, out of the API's reach."""
    gone = world.state.members.pop(userid, None)
    if gone is not None:
        world.state.resigned[userid] = Resigned(userid, world.now(), gone.relations)
    for customer in world.state.customers.values():
        if userid in customer.followers:
            customer.followers.remove(userid)
    return {}


def _shown(member: Member) -> Answer:
    return {
        "userid": member.userid, "name": member.name, "departments": member.departments, "leaders": member.leaders,
        "contact": member.contact, "native_welcome": member.native_welcome, "active": member.status == ACTIVE,
        "customers": len(member.relations),
    }  # fmt: skip
