"""Scanning: what happens when she points her phone at any QR code or opens any link of the corp."""

from urllib.parse import urlsplit

from bot.core.errors import NotFound
from bot.simulator import ways
from bot.simulator.area import Answer, Area
from bot.simulator.world import World

area = Area()


@area.act("POST", "/scan")
def scan(
    world: World, qr_code: str, external_userid: str | None = None, name: str | None = None, half: bool = False
) -> Answer:
    """She scans a live code or a join code, given as its picture's address or its id: added, or joined."""
    code = urlsplit(qr_code).path.rsplit("/", 1)[-1].removesuffix(".png")
    way = world.state.ways.get(code)
    if way is None:
        raise NotFound(f"{qr_code} leads nowhere")
    customer = world.customer(external_userid, name)
    return {"external_userid": customer.external_userid} | ways.scan(world, way, customer, half)
