"""An account's log: what customers, servicers and WeCom put there, called back without content, pulled by cursor."""

from bot.core.errors import NotFound
from bot.simulator.area import Answer, Area, Call
from bot.simulator.codes import Refused
from bot.simulator.fields import cursor, position
from bot.simulator.limits import MINUTE
from bot.simulator.records import KfAccount, KfEntry, KfToken, Message
from bot.simulator.world import World, change, new_id

area = Area()

CUSTOMER, SYSTEM, SERVICER = 3, 4, 5  # origin
KEPT_S = 3 * 86400
TOKEN_S = 600
PAGE = 1000
UNAUTHORISED = "kf/sync_msg without token"  # counted apart, per account; its limit is set by that name
UNAUTHORISED_PER_MINUTE = 10  # WeCom says "strictly limited" without a figure


@area.api("POST", "kf/sync_msg", right="kf")
def sync_msg(call: Call) -> Answer:
    """What was logged after `cursor`, or in the last three days. An empty page with has_more is legal."""
    account = named(call)
    after, token = call.body.text("cursor", size=64), call.body.text("token", size=128)
    limit = call.body.number("limit", PAGE, 0, PAGE) or PAGE
    call.body.number("voice_format", 0, 0, 1)
    _check_token(call, account, token)
    _forget(call.world, account)
    start = position(after)
    if account.empty_pages > 0:
        account.empty_pages -= 1
        return {"next_cursor": cursor(start), "has_more": 1, "msg_list": []}
    waiting = [entry for entry in account.log if entry.number >= start]
    page = waiting[: min(limit, account.page)]
    following = page[-1].number + 1 if page else max(start, account.written)
    items = [entry.item for entry in page]
    return {"next_cursor": cursor(following), "has_more": int(len(page) < len(waiting)), "msg_list": items}


@area.act("POST", "/kf/settings")
def settings(world: World, open_kfid: str, empty_pages: int | None = None, page: int | None = None) -> Answer:
    """How sync_msg answers: so many empty pages with has_more first, and at most `page` rows each."""
    account = known(world, open_kfid)
    change(account, empty_pages=empty_pages, page=page)
    return {"empty_pages": account.empty_pages, "page": account.page}


def append(world: World, account: KfAccount, item: Message) -> str:
    """Log one row and call back that there is something; its msgid."""
    msgid = new_id("", 32)
    row: Message = {"msgid": msgid, "send_time": int(world.now())} | item
    account.log.append(KfEntry(account.written, world.now(), row))
    account.written += 1
    token = new_id("ENC", 43)
    world.state.kf_tokens[token] = KfToken(account.open_kfid, world.now())
    event = {"MsgType": "event", "Event": "kf_msg_or_event", "Token": token, "OpenKfId": account.open_kfid}
    world.emit("kf", account.open_kfid, {**event}, sender="")
    return msgid


def append_event(world: World, account: KfAccount, kind: str, fields: Message) -> str:
    """Log a system event; its account and customer stand inside `event`, as the real ones do."""
    event: Message = {"event_type": kind, "open_kfid": account.open_kfid} | fields
    return append(world, account, {"origin": SYSTEM, "msgtype": "event", "event": event})


def named(call: Call) -> KfAccount:
    """The account a call names. Raises Refused 95000 for no account's id, 95004 for an unknown one."""
    given = call.body if call.body.values else call.query
    return found(call, given.text("open_kfid", missing=95000))


def found(call: Call, open_kfid: str) -> KfAccount:
    """The account of that id; refused as `named` says."""
    if not open_kfid.startswith("wk"):
        raise Refused(95000, open_kfid)
    if open_kfid not in call.state.kf_accounts:
        raise Refused(95004, open_kfid)
    return call.state.kf_accounts[open_kfid]


def known(world: World, open_kfid: str) -> KfAccount:
    """The account, made when its id is a plausible one. Raises NotFound."""
    if not open_kfid.startswith("wk"):
        raise NotFound(f"no 微信客服 account {open_kfid}; an id begins with wk")
    return world.state.kf_accounts.setdefault(open_kfid, KfAccount(open_kfid, open_kfid))


def _check_token(call: Call, account: KfAccount, token: str) -> None:
    now = call.world.now()
    if token:
        given = call.state.kf_tokens.get(token)
        if given is None or given.open_kfid != account.open_kfid or given.at + TOKEN_S <= now:
            raise Refused(95007)
        return
    most = call.world.limits.per_minute.get(UNAUTHORISED, UNAUTHORISED_PER_MINUTE)
    if not call.world.limits.allow(f"{UNAUTHORISED} {account.open_kfid}", most, MINUTE, now):
        raise Refused(45009, UNAUTHORISED)


def _forget(world: World, account: KfAccount) -> None:
    """Drop what is older than three days, and tokens that have run out."""
    now = world.now()
    account.log = [entry for entry in account.log if entry.at + KEPT_S > now]
    expired = [token for token, given in world.state.kf_tokens.items() if given.at + TOKEN_S <= now]
    for token in expired:
        del world.state.kf_tokens[token]
