"""A WeCom that only waits: `python -m bot.app.bench.stub_wecom PORT LATENCY_S`, for `fugou bench welcome`.

It answers tokens at once, profiles, members and welcomes after the latency, and `GET /welcomed` with every welcome code
and the moment (UTC seconds) at which it had been taken, then forgets them.
"""

import asyncio
import json
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from bot.app.bench.callbacks import member

CONNECTIONS = 1_024


class Stub:
    """The welcomes taken so far."""

    def __init__(self, latency_s: float) -> None:
        self._latency_s = latency_s
        self._welcomed: list[tuple[str, float]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until it is closed."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                fields = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                said = json.dumps(await self._answer(urlsplit(head.split(" ")[1]), body)).encode()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n")
                writer.write(b"Content-Length: %d\r\n\r\n" % len(said) + said)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def _answer(self, address: Any, body: bytes) -> dict[str, Any]:
        asked = {name: values[0] for name, values in parse_qs(address.query).items()}
        if address.path == "/welcomed":
            taken, self._welcomed = self._welcomed, []
            return {"welcomed": taken}
        good = {"errcode": 0, "errmsg": "ok"}
        if address.path.endswith("gettoken"):
            return {**good, "access_token": "bench", "expires_in": 7200}
        await asyncio.sleep(self._latency_s)
        if address.path.endswith("user/get"):
            return {**good, "userid": asked["userid"], "name": asked["userid"], "department": [1]}
        if address.path.endswith("send_welcome_msg"):
            self._welcomed.append((json.loads(body)["welcome_code"], time.time()))
            return good
        if not address.path.endswith("externalcontact/get"):
            return good
        who = asked["external_userid"]
        follow = {"userid": member(int(who[-6:])), "createtime": int(time.time()), "add_way": 1, "tags": []}
        return {
            **good, "external_contact": {"external_userid": who, "name": who[-6:], "type": 1}, "follow_user": [follow],
        }  # fmt: skip


async def main(port: int, latency_s: float) -> None:
    """Serve until killed."""
    stub = Stub(latency_s)
    async with await asyncio.start_server(stub.serve, "127.0.0.1", port, backlog=CONNECTIONS) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), float(sys.argv[2])))
