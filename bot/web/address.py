"""The address a request came from, as throttles count it and records name it."""

from ipaddress import ip_address

from flask import request

from bot.web import edge


def caller_address() -> str:
    """The caller's IP address, "nowhere" without one.

    Behind the proxies of FUGOU_TRUSTED_PROXIES it is the last one in X-Forwarded-For that is not theirs: what stands
    further left the caller may have written himself.
    """
    trusted, found = edge.installation().settings.trusted_proxies, "nowhere"
    for hop in reversed([*request.headers.get("X-Forwarded-For", "").split(","), request.remote_addr or ""]):
        try:
            address = ip_address(hop.strip())
        except ValueError:
            break
        found = str(address)
        if not any(address in network for network in trusted):
            break
    return found
