"""Callbacks for the benches: sealed beforehand, posted over kept connections by one thread that costs little."""

import re
import selectors
import socket
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from bot.simulator.callbacks import xml
from bot.simulator.crypto import Sealer

CORP, TOKEN, AES_KEY = "wwbench", "benchToken", "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
PATH = "/wecom/callback/contact"
MEMBERS = 20  # whose new contacts they are
PATIENCE_S = 120.0  # with no answer on any connection
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def contact(number: int) -> str:
    """The external_userid of contact `number`."""
    return f"wmBench{number:025d}"


def member(number: int) -> str:
    """The userid of the member whose contact `number` is."""
    return f"member{number % MEMBERS}"


def sealed(numbers: Sequence[int]) -> list[bytes]:
    """Whole HTTP requests, one for each number: its contact was added just now, with a welcome code."""
    sealer = Sealer(TOKEN, AES_KEY, CORP)
    return [_request(sealer, number) for number in numbers]


def _request(sealer: Sealer, number: int) -> bytes:
    stamp = int(time.time())
    secret = sealer.seal(xml({
        "ToUserName": CORP, "FromUserName": "sys", "CreateTime": stamp, "MsgType": "event",
        "Event": "change_external_contact", "ChangeType": "add_external_contact", "UserID": member(number),
        "ExternalUserID": contact(number), "State": "", "WelcomeCode": f"CODE{number:040d}",
    }))  # fmt: skip
    body = xml({"ToUserName": CORP, "AgentID": "", "Encrypt": secret})
    signature = sealer.sign(str(stamp), f"n{number}", secret)
    head = (
        f"POST {PATH}?msg_signature={signature}&timestamp={stamp}&nonce=n{number} HTTP/1.1\r\nHost: bench\r\n"
        f"Content-Type: text/xml\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


@dataclass
class Fired:
    """What came back. seconds: from the first request to the last answer; latencies: seconds of each request."""

    seconds: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)


def fire(port: int, requests: Sequence[bytes], connections: int, seconds: float = float("inf")) -> Fired:
    """Post the requests, one at a time on each of the kept connections to 127.0.0.1.

    None is begun after `seconds`; those under way are waited for. Raises TimeoutError and OSError.
    """
    found, todo, begun = Fired(), iter(requests), time.perf_counter()
    flying: dict[socket.socket, tuple[float, bytes]] = {}
    with ExitStack() as held, selectors.DefaultSelector() as selector:

        def begin(connection: socket.socket) -> None:
            now = time.perf_counter()
            request = next(todo, None) if now - begun < seconds else None
            if request is None:
                selector.unregister(connection)
                return
            flying[connection] = now, b""
            connection.sendall(request)

        for _ in range(min(connections, len(requests))):
            connection = held.enter_context(socket.create_connection(("127.0.0.1", port)))
            selector.register(connection, selectors.EVENT_READ, connection)
            begin(connection)
        while selector.get_map():
            ready = selector.select(PATIENCE_S)
            if not ready:
                raise TimeoutError(f"no answer within {PATIENCE_S:.0f} s")
            for key, _ in ready:
                at, got = flying[key.data]
                more = key.data.recv(65_536)
                if not more:
                    raise ConnectionError("the server closed a connection that was to be kept")
                flying[key.data] = at, got + more
                if status := _status(got + more):
                    found.statuses[status] += 1
                    found.latencies.append(time.perf_counter() - at)
                    begin(key.data)
    found.seconds = time.perf_counter() - begun
    return found


def _status(answer: bytes) -> int | None:
    """The status of an answer that has come whole."""
    head, end, body = answer.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    whole = end and len(body) >= (int(length[1]) if length else 0)
    return int(head.split(b" ", 2)[1]) if whole else None
