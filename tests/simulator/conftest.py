"""A running simulator, spoken to over HTTP only, and a receiver that opens its callbacks with wechatpy's crypto."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree

import pytest
import requests
from wechatpy.work.crypto import WeChatCrypto

from bot import simulator
from bot.core import clock

CORP, SECRET, TOKEN = "ww0123456789abcdef", "app-secret", "callbackToken"
AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"


@dataclass
class Sim:
    """Calls and acts of one simulator, as the app with `secret` makes them."""

    url: str
    session: requests.Session
    receiver: "Receiver"
    secret: str = SECRET

    @property
    def token(self) -> str:
        answer = self.get("gettoken", token="", corpid=CORP, corpsecret=self.secret)
        assert answer["errcode"] == 0, answer
        return answer["access_token"]

    def get(self, path: str, /, token: str | None = None, **query: object) -> dict[str, Any]:
        """GET an api; `token` "" sends none."""
        return self._api("GET", path, token, query, None)

    def post(self, path: str, body: object = None, /, token: str | None = None, **query: object) -> dict[str, Any]:
        """POST an api with a JSON body."""
        return self._api("POST", path, token, query, {} if body is None else body)

    def act(self, method: str, path: str, /, status: int = 200, **fields: object) -> dict[str, Any]:
        """Do something under /sim/; a GET's fields go into the query."""
        place = {"params": fields} if method in ("GET", "DELETE") else {"json": fields}
        answer = self.session.request(method, f"{self.url}/sim/{path}", timeout=10, **place)
        assert answer.status_code == status, answer.text
        return answer.json()

    def inbox(self, **whom: str) -> list[dict[str, Any]]:
        return self.act("GET", "inbox", **whom)["data"]

    def befriend(self, userid: str = "lily", **fields: object) -> dict[str, Any]:
        """A customer adds a member."""
        return self.act("POST", "contacts", userid=userid, **fields)

    def events(self) -> list[dict[str, Any]]:
        """Everything that was delivered, once nothing is under way any more."""
        for _ in range(500):
            if self.act("GET", "callbacks")["waiting"] == 0:
                return self.receiver.events
            time.sleep(0.02)
        raise AssertionError("callbacks are still under way after 10 s")

    def _api(self, method: str, path: str, token: str | None, query: dict, body: object) -> dict[str, Any]:
        token = self.token if token is None else token
        params = query | ({"access_token": token} if token else {})
        url = f"{self.url}/cgi-bin/{path}"
        if method == "GET":
            return self.session.get(url, params=params, timeout=10).json()
        return self.session.post(url, params=params, json=body, timeout=10).json()


@dataclass
class Receiver:
    """Where callbacks go: `verifies` are its paths, `statuses` come first, then 200, each after `delay_s`."""

    url: str = ""
    verifies: list[str] = field(default_factory=lambda: ["/cb"])
    events: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    verified: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    delay_s: float = 0.0
    answer: bytes = b""
    crypto: WeChatCrypto = field(default_factory=lambda: WeChatCrypto(TOKEN, AES_KEY, CORP))

    def opened(self, query: dict[str, str], body: bytes) -> dict[str, Any]:
        message = self.crypto.decrypt_message(body, query["msg_signature"], query["timestamp"], query["nonce"])
        return {node.tag: [item.text for item in node] or node.text for node in ElementTree.fromstring(message)}


def handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = self._asked()
            if path not in receiver.verifies:
                return self._answer(404, b"")
            receiver.verified.append(path)
            signature = query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
            return self._answer(200, receiver.crypto.check_signature(*signature).encode())

        def do_POST(self) -> None:
            path, query = self._asked()
            body = self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(receiver.delay_s)
            receiver.bodies.append(body)
            receiver.paths.append(path)
            status = receiver.statuses.pop(0) if receiver.statuses else 200
            if status == 200:
                receiver.events.append(receiver.opened(query, body))
            self._answer(status, receiver.answer)

        def _asked(self) -> tuple[str, dict[str, str]]:
            parts = urlsplit(self.path)
            return parts.path, dict(parse_qsl(parts.query))

        def _answer(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@pytest.fixture(autouse=True)
def real_time() -> Iterator[None]:
    """Time that a test moved goes back."""
    yield
    clock.follow(None)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    with ThreadingHTTPServer(("127.0.0.1", 0), handler(made)) as server:
        made.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield made
        server.shutdown()
        thread.join()


@pytest.fixture
def session() -> Iterator[requests.Session]:
    """A kept connection. Shadows the database session of the other tests: the simulator has no database."""
    with requests.Session() as made:
        made.trust_env = False
        yield made


@pytest.fixture
def wecom(receiver: Receiver, session: requests.Session) -> Iterator[Sim]:
    """A simulator whose callbacks go to `receiver`, at /cb."""
    with simulator.start(CORP, SECRET, f"{receiver.url}/cb", TOKEN, AES_KEY) as running:
        yield Sim(running.url, session, receiver)


@pytest.fixture
def quiet(session: requests.Session) -> Iterator[Sim]:
    """A simulator that calls nobody back, for tests in which thousands of things happen."""
    with simulator.start(CORP, SECRET) as running:
        yield Sim(running.url, session, Receiver())
