"""Welcome messages: a code per added contact, good for 20 seconds and one delivery; page 92137."""

from bot.core.errors import NotFound
from bot.simulator import content
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.records import WelcomeCode
from bot.simulator.world import World

area = Area()

LIFETIME_S = 20


@area.api("POST", "externalcontact/send_welcome_msg", right="contact")
def send(call: Call) -> Answer:
    """Text and attachments arrive as messages of their own, from the member."""
    code = call.state.welcome_codes.get(call.body.text("welcome_code", missing=41049))
    messages = content.checked(call, call.body)
    if code is None or code.issued_at + LIFETIME_S <= call.world.now() or not call.app.sees(code.userid):
        raise Refused(41050)
    _settle(call.world, code)
    relation = call.state.members[code.userid].relations.get(code.external_userid)
    if relation is None:
        raise Refused(84061)
    if code.used or relation.chatted or relation.welcomed:
        raise Refused(41051)
    if code.other_until:
        raise Refused(41096)
    code.used = relation.welcomed = True
    for message in messages:
        call.world.receive(code.external_userid, "welcome", code.userid, message)
    return {}


@area.act("POST", "/welcome-codes/<code>")
def another_app(world: World, code: str, sending_s: float, delivers: bool = True) -> Answer:
    """Another app got the code too and is sending with it for so long; then it has delivered, or has failed."""
    found = world.state.welcome_codes.get(code)
    if found is None:
        raise NotFound(f"no welcome code {code}")
    found.other_until, found.other_delivers = world.now() + sending_s, delivers
    return {}


def _settle(world: World, code: WelcomeCode) -> None:
    """What the other app was doing is over by now."""
    if code.other_until and code.other_until <= world.now():
        code.other_until, code.used = 0.0, code.used or code.other_delivers
