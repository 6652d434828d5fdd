"""Who opened a page: the code WeChat's authorize page hands out, and its exchange; pages 91022 and 91023."""

from bot.core.errors import Unacceptable
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.members import UserId
from bot.simulator.records import OAuthCode
from bot.simulator.world import World, new_id

area = Area()

LIFETIME_S = 300
TICKET_S = 1800


@area.api("GET", "auth/getuserinfo")
def user(call: Call) -> Answer:
    """A member's userid; for anybody else her openid, and her external_userid where the app sees one of her members."""
    code = _consumed(call)
    if code.userid:
        return {"userid": code.userid, "user_ticket": new_id("", 64), "expires_in": TICKET_S}
    return {"openid": call.state.customers[code.external_userid].openid} | _seen(call, code)


@area.api("GET", "user/getuserinfo")
def user_of_old(call: Call) -> Answer:
    """The same under the capitalised names of the old call."""
    code = _consumed(call)
    if code.userid:
        return {"UserId": code.userid, "DeviceId": new_id("", 32)}
    return {"OpenId": call.state.customers[code.external_userid].openid, "DeviceId": ""} | _seen(call, code)


@area.act("POST", "/oauth")
def authorise(world: World, external_userid: str | None = None, userid: UserId | None = None) -> Answer:
    """She, or a member, opens a page through WeChat's authorize address: the code it hands to the page."""
    if (external_userid is None) == (userid is None):
        raise Unacceptable.at("", "give external_userid or userid")
    code = new_id("", 43)
    if userid is not None:
        world.member(userid)
    if external_userid is not None:
        world.customer(external_userid)
    world.state.oauth_codes[code] = OAuthCode(world.now(), userid or "", external_userid or "")
    return {"code": code}


def _consumed(call: Call) -> OAuthCode:
    code = call.state.oauth_codes.pop(call.query.text("code", size=512, missing=40029), None)
    if code is None or code.at + LIFETIME_S <= call.world.now():
        raise Refused(40029)
    return code


def _seen(call: Call, code: OAuthCode) -> Answer:
    followers = call.state.customers[code.external_userid].followers
    return {"external_userid": code.external_userid} if any(map(call.app.sees, followers)) else {}
