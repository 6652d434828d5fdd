"""The outside of the program, driven: what people do in WeCom (the simulator's control API) and what a shop's backend
calls (the REST API). The demo's story and the tests speak these words.
"""

import time
from typing import Any

import requests

from bot.core import clock
from bot.core.errors import Refusal

PATIENCE_SECONDS = 20


class Refused(Refusal):
    """The other side said no; the text is its answer."""


class Phone:
    """What people do in WeCom's clients, and what arrived at them there."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._http = requests.Session()

    def sim(self, method: str, path: str, /, **given: Any) -> Any:
        """A call of the simulator's control API. Raises Refused."""
        query = method in ("GET", "DELETE")
        answer = self._http.request(
            method, f"{self.url}/sim/{path}", timeout=PATIENCE_SECONDS, params=given if query else None,
            json=None if query else given,
        )  # fmt: skip
        return _good(answer)

    def add_contact(self, name: str, staff: str = "lily", **more: Any) -> str:
        """A customer adds a member; returns her external_userid. more: state, unionid, gender, half, …"""
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
            if time.monotonic() > until:
                raise Refused("WeCom's callbacks are still under way")
            time.sleep(0.01)


class Api:
    """The REST API as a shop's backend calls it, with a key for everything."""

    def __init__(self, url: str, key: str) -> None:
        self._url, self.key = f"{url}/api/v1", key
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {key}"

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> requests.Response:
        return self._http.request(method, self._url + path, json=body, timeout=PATIENCE_SECONDS, **more)

    def get(self, path: str, **query: Any) -> Any:
        return _good(self.call("GET", path, params=query))

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return _good(self.call("POST", path, {} if body is None else body, **more))

    def put(self, path: str, body: Any = None) -> Any:
        return _good(self.call("PUT", path, body))

    def patch(self, path: str, body: Any) -> Any:
        return _good(self.call("PATCH", path, body))

    def delete(self, path: str) -> Any:
        return _good(self.call("DELETE", path))

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


def _good(answer: requests.Response) -> Any:
    if answer.status_code >= 300:
        raise Refused(f"{answer.request.method} {answer.url}: {answer.status_code} {answer.text}")
    return answer.json() if answer.content else None
