"""The driver: a shop in domain words. Callbacks come in encrypted over HTTP from a simulated WeCom; what is checked is
what reached people there, and what the API says.

    anna = shop.wecom.add_contact("Anna", staff="lily", state=code["state"])
    shop.run_jobs()
    assert shop.wecom.texts_to(anna) == ["欢迎,Anna"]

The cast: Lily and Leo follow customers; Anna, Bella and Cora buy; Dan is nobody's contact and must stay unseen.
"""

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import requests
from bot.wecom.client import WeCom
from werkzeug.serving import WSGIRequestHandler, make_server

from bot import simulator
from bot.app.create import create_app
from bot.core import clock
from bot.core.installation import Installation
from bot.core.settings import Settings
from bot.operators import keys
from bot.wecom.lane import Lane

PATIENCE_SECONDS = 20


class Phone:
    """What people do in WeCom's clients, and what arrived at them there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()

    def sim(self, method: str, path: str, **body: Any) -> Any:
        """A call of the simulator's control API; raises AssertionError with its words where it refuses."""
        sent = {"params": body} if method in ("GET", "DELETE") else {"json": body}
        answer = self._http.request(method, f"{self.url}/sim/{path}", timeout=PATIENCE_SECONDS, **sent)
        assert answer.status_code < 300, f"{method} /sim/{path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def add_contact(self, name: str, staff: str = "lily", **more: Any) -> str:
        """A customer adds a member; returns her external_userid. more: state, unionid, gender, half, external_userid."""
        return str(self.sim("POST", "contacts", userid=staff, name=name, **more)["external_userid"])

    def inbox(self, external_userid: str = "", *, userid: str = "") -> list[dict[str, Any]]:
        who = {"external_userid": external_userid} if external_userid else {"userid": userid}
        return list(self.sim("GET", "inbox", **who)["data"])

    def texts_to(self, external_userid: str) -> list[str]:
        """The texts that arrived at a customer, oldest first."""
        return [one["text"]["content"] for one in self.inbox(external_userid) if one.get("text", {}).get("content")]

    def say(self, external_userid: str, text: str, open_kfid: str = "wkshop", **more: Any) -> None:
        """She writes to the 微信客服 account."""
        self.sim("POST", "kf/messages", open_kfid=open_kfid, external_userid=external_userid, text=text, **more)

    def calls(self, path: str) -> list[dict[str, Any]]:
        return list(self.sim("GET", "calls", path=path)["data"])

    def repeat_last_callback(self, last: int = 1) -> None:
        self.sim("POST", "callbacks/repeat", last=last)

    def settled(self) -> None:
        """Wait until WeCom has delivered, or given up on, every callback."""
        until = time.monotonic() + PATIENCE_SECONDS
        while self.sim("GET", "callbacks", last=0)["waiting"]:
            assert time.monotonic() < until, "callbacks are still under way"
            time.sleep(0.01)


class Api:
    """The REST API as a shop's backend calls it, with a key for everything."""

    def __init__(self, url: str, key: str) -> None:
        self._url = f"{url}/api/v1"
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {key}"

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self._http.request(method, self._url + path, json=body, timeout=PATIENCE_SECONDS, **more)

    def get(self, path: str, **query: Any) -> Any:
        return self._good(self.call("GET", path, params=query))

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return self._good(self.call("POST", path, {} if body is None else body, **more))

    def put(self, path: str, body: Any = None) -> Any:
        return self._good(self.call("PUT", path, body))

    def patch(self, path: str, body: Any) -> Any:
        return self._good(self.call("PATCH", path, body))

    def delete(self, path: str) -> Any:
        return self._good(self.call("DELETE", path))

    def customer(self, external_userid: str) -> Any:
        return self.get("/customers", external_userid=external_userid)

    def points(self, external_userid: str) -> Any:
        return self.get(f"/customers/{self.customer(external_userid)['id']}/points")

    def order(self, external_userid: str, order_id: str, total_fen: int, **more: Any) -> Any:
        """An order paid now (or `paid_at`), of one item."""
        item = {
            "sku": "bean-250",
            "name": "耶加雪菲 250g",
            "category": "咖啡",
            "quantity": 1,
            "unit_price_fen": total_fen,
        }
        body = {"order_id": order_id, "customer": {"external_userid": external_userid}, "total_fen": total_fen,
                "paid_at": clock.now().isoformat(), "items": [item], **more}  # fmt: skip
        return self.post("/orders", body)

    @staticmethod
    def _good(answer: requests.Response) -> Any:
        assert answer.status_code < 300, f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None


class Shop:
    """One installation, its web server in this process, its WeCom."""

    def __init__(self, installation: Installation, url: str, wecom: Phone) -> None:
        self.installation, self.url, self.wecom = installation, url, wecom
        with installation.transaction("test") as session:
            key = keys.create_api_key(session, "shop", ["all"])
        self.api = Api(url, key)
        self.client = WeCom(installation.settings, installation.redis, installation.key("wecom:"))
        self._lane = Lane(installation, self.client)

    def run_jobs(self) -> None:
        """Let everything happen that is due: callbacks arrive, inbox and outbox drain, jobs run."""
        from bot.core import jobs

        for _ in range(20):
            self.wecom.settled()
            if not self._lane.drain() + jobs.run_due(self.installation):
                return
        raise AssertionError("there is always something more to do: a loop")

    def pass_time(self, **span: float) -> None:
        """Move the shop's and WeCom's clock: `pass_time(days=3)`, `pass_time(seconds=30)`."""
        from datetime import timedelta

        self.wecom.sim("POST", "clock", advance_s=timedelta(**span).total_seconds())


@contextlib.contextmanager
def opened(installation_of: Any, settings: Settings, corp: dict[str, Any]) -> Iterator[Shop]:
    """A shop whose simulator and web server listen on free ports; `installation_of(settings)` makes its installation."""
    with simulator.start(corp_id=corp["corp_id"], secret=corp["secret"]) as wecom:
        installation = installation_of(settings.model_copy(update={"wecom_api_base": f"{wecom.url}/cgi-bin"}))
        with served(create_app(installation)) as url:
            phone = Phone(wecom.url)
            phone.sim("POST", "apps", agentid=settings.wecom_agent_id)
            for userid, name in (("lily", "莉莉"), ("leo", "李奥")):
                phone.sim("POST", "staff", userid=userid, name=name)
            phone.sim("POST", "callbacks", url=f"{url}/wecom/callback", token=corp["token"], aes_key=corp["aes_key"])
            yield Shop(installation, url, phone)


@contextlib.contextmanager
def served(app: Any) -> Iterator[str]:
    """The application behind a real HTTP server on a free port, in threads of this process."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = make_server("127.0.0.1", port, app, threaded=True, request_handler=_Quiet, fd=listener.fileno())
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        listener.close()


class _Quiet(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing of requests that went well."""
