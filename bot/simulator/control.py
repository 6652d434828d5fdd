"""What a test asks of the simulation itself: apps, tokens, limits, faults, callbacks, clock, calls, inbox."""

from typing import Literal

from bot.core.clock import clock
from bot.core.errors import Unacceptable
from bot.simulator.area import Answer, Area
from bot.simulator.faults import Fault
from bot.simulator.records import App
from bot.simulator.world import World, change, moment

area = Area()


@area.act("POST", "/apps")
def app(
    world: World,
    secret: str | None = None,
    agentid: int | None = None,
    name: str | None = None,
    rights: list[Literal["contact", "kf"]] | None = None,
    visible: list[str] | Literal["all"] | None = None,
    trusted_ips: list[str] | Literal["all"] | None = None,
    disabled: bool | None = None,
) -> Answer:
    """Another secret, or a change to one (to the first without `secret`): rights, visible range, trusted addresses."""
    made = world.state.apps.setdefault(secret or world.state.main, App(secret or world.state.main))
    change(made, agentid=agentid, name=name, rights=rights, disabled=disabled)
    if visible is not None:
        made.visible = None if visible == "all" else list(visible)
    if trusted_ips is not None:
        made.trusted_ips = None if trusted_ips == "all" else list(trusted_ips)
    return {"secret": made.secret, "agentid": made.agentid, "rights": made.rights, "visible": made.visible}


@area.act("POST", "/tokens/revoke")
def revoke(world: World, secret: str | None = None, expire: bool = False) -> Answer:
    """WeCom takes tokens back early (40014), or ends them as expired (42001); of one secret, or of all."""
    hit = [one for one in world.state.tokens.values() if secret in (None, one.secret)]
    for token in hit:
        if expire:
            token.expires_at = world.now()
        else:
            del world.state.tokens[token.value]
    return {"revoked": len(hit)}


@area.act("POST", "/limits")
def limits(
    world: World,
    path: str = "*",
    per_minute: int | None = None,
    concurrent: int | None = None,
    wrong_secrets: int | None = None,
    contact_ways: int | None = None,
    corp_tags: int | None = None,
    kf_accounts: int | None = None,
    visible_people: int | None = None,
    dispatch_s: float | None = None,
) -> Answer:
    """Calls of one api a minute and at once (`path` "*": of each other one); wrong secrets an hour from one address."""
    for limit, most in ((world.limits.per_minute, per_minute), (world.limits.concurrent, concurrent)):
        if most is not None:
            limit[path] = most
    given = {"wrong_secrets": wrong_secrets, "contact_ways": contact_ways, "corp_tags": corp_tags,
             "kf_accounts": kf_accounts, "visible_people": visible_people, "dispatch_s": dispatch_s}  # fmt: skip
    change(world.limits, **given)
    shown = ("per_minute", "concurrent", *given)
    return {name: getattr(world.limits, name) for name in shown}


@area.act("POST", "/faults")
def fault(
    world: World,
    path: str,
    errcode: int | None = None,
    delay_s: float = 0.0,
    drop: Literal["before", "after"] | None = None,
    done: bool = False,
    times: int = 1,
) -> Answer:
    """The next `times` calls of the api (`path` "*": of any) misbehave; see Fault."""
    if errcode is None and not delay_s and drop is None:
        raise Unacceptable.at("", "a fault needs errcode, delay_s or drop")
    world.faults.add(Fault(path.removeprefix("/cgi-bin/"), errcode, delay_s, drop, done, times))
    return {"waiting": len(world.faults.waiting)}


@area.act("DELETE", "/faults")
def no_faults(world: World) -> Answer:
    world.faults.clear()
    return {"waiting": 0}


@area.act("POST", "/callbacks")
def callbacks(
    world: World,
    duplicate: bool | None = None,
    reorder: bool | None = None,
    delay_s: float | None = None,
    retry_s: float | None = None,
    timeout_s: float | None = None,
    url: str | None = None,
    token: str | None = None,
    aes_key: str | None = None,
) -> Answer:
    """How callbacks are delivered from now on, and where to (`url`, `token` and `aes_key` together)."""
    given = {"duplicate": duplicate, "reorder": reorder, "delay_s": delay_s, "retry_s": retry_s, "timeout_s": timeout_s}
    change(world.callbacks.behaviour, **given)
    if url is not None:
        try:
            world.callbacks.configure(url, token or "", aes_key or "")
        except ValueError as error:
            raise Unacceptable.at("/aes_key", str(error)) from error
    return {name: getattr(world.callbacks.behaviour, name) for name in given}


@area.act("GET", "/callbacks")
def deliveries(world: World, last: int = 100) -> Answer:
    """The last callbacks, oldest first, each with the outcome of its tries; `waiting` says how many are under way."""
    shown = [
        {"at": moment(one.at), "source": one.source, "xml": one.message, "status": one.status, "tries": one.outcomes}
        for one in (list(world.callbacks.log)[-last:] if last else [])
    ]
    return {"data": shown, "waiting": world.callbacks.waiting}


@area.act("POST", "/callbacks/repeat")
def repeat(world: World, last: int = 1) -> Answer:
    """WeCom delivers the last events once more."""
    return {"repeated": world.callbacks.repeat(last)}


@area.act("POST", "/clock")
def advance(world: World, advance_s: float) -> Answer:
    """Time passes, for every simulator and whoever shares the clock."""
    clock.advance(advance_s)
    return {"now": moment(world.now())}


@area.act("GET", "/calls")
def calls(world: World, path: str | None = None) -> Answer:
    """Every /cgi-bin/ call so far, or those of one api; `status` is null where the connection was cut."""
    wanted = path.removeprefix("/").removeprefix("cgi-bin/") if path is not None else None
    return {"data": [one for one in list(world.calls) if wanted in (None, one["path"])]}


@area.act("GET", "/inbox")
def inbox(world: World, external_userid: str | None = None, userid: str | None = None) -> Answer:
    """All that arrived at a customer or a member, oldest first."""
    if (external_userid is None) == (userid is None):
        raise Unacceptable.at("", "give external_userid or userid")
    rows = world.state.inbox.get(external_userid or userid or "", [])
    return {"data": [{**one.message, "via": one.via, "from": one.sender, "at": moment(one.at)} for one in rows]}
