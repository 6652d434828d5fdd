"""Callbacks as WeCom delivers them: the address verified once by GET, then encrypted POSTs with retries.

Each event waits in the lane of its key (her id, the chat, the account, the tag), so what concerns one of them arrives
in order, as far as `reorder` and `duplicate` leave it, while lanes deliver side by side. Waiting and retrying take real
time: they are machinery, not part of the simulated world.
"""

import heapq
import random
import secrets
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

import requests
from defusedxml import ElementTree

from bot.simulator.crypto import Sealer

Source = Literal["contact", "app", "kf"]
Value = str | int | list[str]

LANES = 8
TRIES = 3  # 总共重试三次
TIMEOUT_S = 5.0  # WeCom closes the connection then
RETRY_S = 1.0  # WeCom does not say how long it waits; short, so that tests see the third try
REORDER_S = 0.5  # an event is held back up to this long
LOG = 20_000


class Unverified(Exception):
    """The address did not answer WeCom's URL verification with the decrypted echostr."""


def xml(fields: Mapping[str, Value]) -> str:
    """The flat document of a message: strings in CDATA, numbers bare, lists as <Item>s."""
    return f"<xml>{''.join(_element(name, value) for name, value in fields.items())}</xml>"


def _element(name: str, value: Value) -> str:
    if isinstance(value, list):
        inner = "".join(_element("Item", one) for one in value)
    elif isinstance(value, int):
        inner = str(value)
    else:
        inner = f"<![CDATA[{value.replace(']]>', ']]]]><![CDATA[>')}]]>"
    return f"<{name}>{inner}</{name}>"


@dataclass(order=True)
class Delivery:
    """One event on its way; `outcomes` has an HTTP status or an error's name for each try."""

    due: float
    number: int
    source: Source = field(compare=False)
    key: str = field(compare=False)
    message: str = field(compare=False)
    at: float = field(compare=False)
    replied: Callable[[str], None] | None = field(default=None, compare=False, repr=False)
    outcomes: list[str] = field(default_factory=list, compare=False)
    status: Literal["waiting", "delivered", "failed"] = field(default="waiting", compare=False)


@dataclass
class Behaviour:
    """How callbacks are delivered. `delay_s`, `retry_s` and `timeout_s` in real seconds."""

    duplicate: bool = False
    reorder: bool = False
    delay_s: float = 0.0
    retry_s: float = RETRY_S
    timeout_s: float = TIMEOUT_S


class _Lane:
    """Deliveries one after the other, the one that is due first, first."""

    def __init__(self, send: Callable[[Delivery, requests.Session], None]) -> None:
        self._send, self._heap = send, list[Delivery]()
        self._changed, self._stopping = threading.Condition(), False
        self._thread: threading.Thread | None = None

    def put(self, delivery: Delivery) -> None:
        with self._changed:
            heapq.heappush(self._heap, delivery)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="wecom-callbacks", daemon=True)
                self._thread.start()
            self._changed.notify()

    def stop(self) -> threading.Thread | None:
        with self._changed:
            self._stopping = True
            self._changed.notify()
        return self._thread

    def _run(self) -> None:
        session = requests.Session()
        session.trust_env = False  # a proxy of this machine has no part in the simulated network
        while (delivery := self._next()) is not None:
            self._send(delivery, session)
        session.close()

    def _next(self) -> Delivery | None:
        with self._changed:
            while not self._stopping:
                wait = self._heap[0].due - time.monotonic() if self._heap else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._heap)
                self._changed.wait(wait)
        return None


class Callbacks:
    """The sender of one simulated corp. Without an address events are logged as failed and go nowhere."""

    def __init__(self, corp_id: str) -> None:
        self.corp_id, self.agentid = corp_id, 0
        self.behaviour, self.log = Behaviour(), deque[Delivery](maxlen=LOG)
        self._url, self._sealer = "", None
        self._targets: dict[Source, str] = {}
        self._lanes = [_Lane(self._deliver) for _ in range(LANES)]
        self._numbers, self._waiting = 0, 0
        self._lock, self._verifying, self._stopping = threading.Lock(), threading.Lock(), threading.Event()

    _sealer: Sealer | None

    def configure(self, url: str, token: str, aes_key: str) -> None:
        """Send to `url` from now on, verified anew before the first event.

        An address that ends in /contact, /app or /kf takes every event. Another is taken as it is where it answers the
        verification, else as the stem of those three. Raises ValueError for a malformed key.
        """
        with self._verifying:
            self._url, self._sealer, self._targets = url.rstrip("/"), Sealer(token, aes_key, self.corp_id), {}

    def emit(
        self, source: Source, key: str, message: str, at: float, replied: Callable[[str], None] | None = None
    ) -> None:
        """Queue one event; `replied` takes the decrypted passive answer to an app message, where there is one."""
        shuffled = self.behaviour.reorder
        for _ in range(2 if self.behaviour.duplicate else 1):
            held_s = random.uniform(0, REORDER_S) if shuffled else 0.0  # noqa: S311 - shuffles, guards nothing
            due = time.monotonic() + self.behaviour.delay_s + held_s
            with self._lock:
                self._numbers += 1
                self._waiting += 1
                delivery = Delivery(due, self._numbers, source, key, message, at, replied)
                self.log.append(delivery)
            self._lanes[(delivery.number if shuffled else hash(key)) % LANES].put(delivery)

    def repeat(self, last: int) -> int:
        """Deliver the last so many events once more, as WeCom does when an answer got lost; how many those were."""
        with self._lock:
            again = list(self.log)[-last:]
        for one in again:
            self.emit(one.source, one.key, one.message, one.at, one.replied)
        return len(again)

    @property
    def waiting(self) -> int:
        """Events neither delivered nor given up."""
        return self._waiting

    def stop(self) -> None:
        """Deliver nothing more."""
        self._stopping.set()
        for thread in [lane.stop() for lane in self._lanes]:
            if thread is not None:
                thread.join(timeout=1)

    def _deliver(self, delivery: Delivery, session: requests.Session) -> None:
        for tries in range(TRIES):
            if tries and self._stopping.wait(self.behaviour.retry_s):
                break
            try:
                outcome = self._post(delivery, session)
            except (requests.RequestException, Unverified) as error:
                outcome = type(error).__name__
            delivery.outcomes.append(outcome)
            if outcome == "200" or self._sealer is None:
                break
        delivery.status = "delivered" if delivery.outcomes[-1:] == ["200"] else "failed"
        with self._lock:
            self._waiting -= 1

    def _post(self, delivery: Delivery, session: requests.Session) -> str:
        target, sealer = self._target(delivery.source, session)
        sealed = sealer.seal(delivery.message)
        body = xml({"ToUserName": self.corp_id, "AgentID": str(self.agentid), "Encrypt": sealed})
        answer = session.post(
            target, params=self._signed(sealer, sealed), data=body.encode(), timeout=self.behaviour.timeout_s,
            headers={"Content-Type": "text/xml"}, allow_redirects=False,
        )  # fmt: skip
        if answer.status_code == 200 and delivery.replied and answer.content.lstrip().startswith(b"<xml"):
            delivery.replied(sealer.open(ElementTree.fromstring(answer.content).findtext("Encrypt", "")))
        return str(answer.status_code)

    def _target(self, source: Source, session: requests.Session) -> tuple[str, Sealer]:
        with self._verifying:
            if self._sealer is None:
                raise Unverified("no callback address")
            if source not in self._targets:
                self._targets[source] = self._verify(source, session, self._sealer)
            return self._targets[source], self._sealer

    def _verify(self, source: Source, session: requests.Session, sealer: Sealer) -> str:
        whole = urlsplit(self._url).path.endswith(("/contact", "/app", "/kf"))
        for url in [self._url] if whole else [self._url, f"{self._url}/{source}"]:
            echo = str(secrets.randbelow(10**19))
            sealed = sealer.seal(echo)
            answer = session.get(
                url, params=self._signed(sealer, sealed) | {"echostr": sealed}, timeout=self.behaviour.timeout_s,
                allow_redirects=False,
            )  # fmt: skip
            if answer.status_code == 200 and answer.content == echo.encode():
                return url
        raise Unverified(self._url)

    @staticmethod
    def _signed(sealer: Sealer, sealed: str) -> dict[str, str]:
        timestamp, nonce = str(int(time.time())), str(secrets.randbelow(10**10))
        return {"msg_signature": sealer.sign(timestamp, nonce, sealed), "timestamp": timestamp, "nonce": nonce}
