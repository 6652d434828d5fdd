"""Scanning: what happens when she points her phone at any QR code or opens any link of the corp."""

from urllib.parse import urlsplit

from bot.core.errors import NotFound
from bot.simulator import ways
from bot.simulator.area import Answer, Area
from bot.simulator.kf.sessions import enter
from bot.simulator.world import World

area = Area()


@area.act("POST", "/scan")
def scan(
    world: World, qr_code: str, external_userid: str | None = None, name: str | None = None, half: bool = False
) -> Answer:
    """She scans a live code, a join code or a 微信客服 link, given as its address or its id: added, joined, or in."""
    code = urlsplit(qr_code).path.rsplit("/", 1)[-1].removesuffix(".png")
    if code in world.state.kf_links:
        return enter(world, external_userid, url=qr_code, name=name)
    way = world.state.ways.get(code)
    if way is None:
        raise NotFound(f"{qr_code} leads nowhere")
    customer = world.customer(external_userid, name)
    return {"external_userid": customer.external_userid} | ways.scan(world, way, customer, half)
