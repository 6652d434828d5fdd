"""Scanning: what happens when she points her phone at any QR code or opens any link of the corp."""

from urllib.parse import urlsplit

from bot.core.errors import NotFound
from bot.simulator import joinways, ways
from bot.simulator.area import Answer, Area
from bot.simulator.kf.sessions import enter
from bot.simulator.world import World

area = Area()


@area.act("POST", "/scan")
def scan(
    world: World, qr_code: str, external_userid: str | None = None, name: str | None = None, half: bool = False
) -> Answer:
    """She scans a live code, a join code or a 微信客服 link, given as its address or its id: added, joined, or in."""
    code, state = urlsplit(qr_code).path.rsplit("/", 1)[-1].removesuffix(".png"), world.state
    if code in state.kf_links:
        return enter(world, external_userid, url=qr_code, name=name)
    if code not in state.ways and code not in state.join_ways:
        raise NotFound(f"{qr_code} leads nowhere")
    customer = world.customer(external_userid, name)
    if code in state.ways:
        done = ways.scan(world, state.ways[code], customer, half)
    else:
        done = joinways.scan(world, state.join_ways[code], customer)
    return {"external_userid": customer.external_userid} | done
