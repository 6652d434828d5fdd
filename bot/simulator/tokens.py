"""Access tokens per secret, jsapi tickets, and the addresses WeCom calls from; pages 91039, 90539 and 92520."""

from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.limits import HOUR
from bot.simulator.records import App, Token
from bot.simulator.world import new_id

area = Area()

LIFETIME_S = 7200
TICKETS_PER_HOUR, APP_TICKETS_PER_HOUR = 400, 100


@area.api("GET", "gettoken", token=False)
def gettoken(call: Call) -> Answer:
    """The same token until it expires, as clients assume; a wrong secret counts against the caller's address."""
    limits, now, key = call.world.limits, call.world.now(), f"wrong secret {call.ip}"
    corp_id, secret = call.query.text("corpid", missing=41002), call.query.text("corpsecret", missing=41004)
    if limits.blocked(key, HOUR, now):
        raise Refused(45009, "too many wrong secrets from this address")
    if corp_id != call.state.corp_id:
        raise Refused(40013)
    app = call.state.apps.get(secret)
    if app is None or app.disabled:
        limits.allow(key, limits.wrong_secrets, HOUR, now)
        raise Refused(40001)
    token = _kept(call, app, "access", LIFETIME_S)
    return {"access_token": token.value, "expires_in": int(token.expires_at - now)}


@area.api("GET", "get_jsapi_ticket")
def corp_ticket(call: Call) -> Answer:
    """The corp's ticket, for wx.config."""
    return _ticket(call, call.world.app, "corp")


@area.api("GET", "ticket/get")
def app_ticket(call: Call) -> Answer:
    """The app's own ticket, for wx.agentConfig."""
    if call.query.text("type") != "agent_config":
        raise Refused(91040)
    return _ticket(call, call.app, "agent")


@area.api("GET", "getcallbackip")
def callback_addresses(call: Call) -> Answer:
    return {"ip_list": ["127.0.0.1"]}


@area.api("GET", "get_api_domain_ip")
def api_addresses(call: Call) -> Answer:
    return {"ip_list": ["127.0.0.1"]}


def _ticket(call: Call, owner: App, kind: str) -> Answer:
    now, limits = call.world.now(), call.world.limits
    if not limits.allow(f"ticket {kind} {call.app.secret}", APP_TICKETS_PER_HOUR, HOUR, now) or not limits.allow(
        "ticket", TICKETS_PER_HOUR, HOUR, now
    ):
        raise Refused(45009)
    token = _kept(call, owner, kind, LIFETIME_S)
    return {"ticket": token.value, "expires_in": int(token.expires_at - now)}


def _kept(call: Call, app: App, kind: str, lifetime_s: int) -> Token:
    """The app's unexpired token of that kind, a new one where there is none."""
    now, tokens = call.world.now(), call.state.tokens
    for token in tokens.values():
        if (token.secret, token.kind) == (app.secret, kind) and token.expires_at > now:
            return token
    value = new_id("", 214)
    tokens[value] = Token(value, app.secret, now + lifetime_s, kind)
    return tokens[value]
