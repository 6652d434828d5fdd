"""An HTTP server that does what a test tells it, one step a request: answer, wait, cut the connection."""

import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Step = Callable[[socket.socket], bool]  # True: keep the connection

OK = {"errcode": 0, "errmsg": "ok"}
TOKEN = {**OK, "access_token": "T1", "expires_in": 7200}


def says(answer: object, status: str = "200 OK", headers: str = "Content-Type: application/json\r\n") -> Step:
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()

    def step(connection: socket.socket) -> bool:
        connection.sendall(f"HTTP/1.1 {status}\r\n{headers}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return True

    return step


def raw(text: bytes) -> Step:
    def step(connection: socket.socket) -> bool:
        connection.sendall(text)
        return False

    return step


def cuts(connection: socket.socket) -> bool:
    return False


def is_silent(connection: socket.socket) -> bool:
    connection.settimeout(10)
    with contextlib.suppress(OSError):
        connection.recv(1)  # until the other side gives up
    return False


@dataclass
class Server:
    """`url` is its base; `requests` what was asked, first line and body; `connections` how many were opened."""

    url: str
    steps: dict[str, list[Step]] = field(default_factory=dict)
    requests: list[tuple[str, bytes]] = field(default_factory=list)
    connections: int = 0

    def will(self, endpoint: str, *steps: Step) -> None:
        """Do `steps` at the next requests of `endpoint`, the last one at all after."""
        self.steps[endpoint] = list(steps)

    def asked(self, endpoint: str) -> list[tuple[str, bytes]]:
        return [one for one in self.requests if f"/cgi-bin/{endpoint}?" in one[0]]


@contextlib.contextmanager
def misbehaving() -> Iterator[Server]:
    listener = socket.create_server(("127.0.0.1", 0))
    server = Server(f"http://127.0.0.1:{listener.getsockname()[1]}/cgi-bin")
    server.will("gettoken", says(TOKEN))
    opened: list[socket.socket] = []

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listener.accept()
                opened.append(connection)
                server.connections += 1
                threading.Thread(target=_serve, args=(server, connection), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        for connection in opened:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        listener.close()


def _serve(server: Server, connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as stream, contextlib.suppress(OSError):
        while head := stream.readline():
            size = 0
            while (line := stream.readline().lower()) not in (b"\r\n", b""):
                size = int(line.split(b":")[1]) if line.startswith(b"content-length:") else size
            target = head.decode()
            server.requests.append((target, stream.read(size)))
            endpoint = target.split(" ")[1].partition("?")[0].removeprefix("/cgi-bin/")
            steps = server.steps[endpoint]
            if not (steps.pop(0) if len(steps) > 1 else steps[0])(connection):
                return
