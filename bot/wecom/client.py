"""Typed calls to WeCom: `WeCom(…).contact`, `.kf` and `.app`, each under the secret it needs.

    wecom = wecom_of(installation)
    wecom.contact.get("wm…")["external_contact"]["name"]

The methods are in `bot.wecom.api`, on wechatpy's API classes. `Client` stands where wechatpy's client would, since that
one refetches tokens without end and without a lock, waits without end, and knows one address only (wecom.md §7,
docs/decisions/0003). Every call counts against WeCom's limits first, raises WeComError, whose type says
whether it may have been done, and is never repeated but once with a fresh token: who waits and repeats is the outbox.
"""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import structlog
import urllib3
from prometheus_client import Counter, Histogram
from pydantic import SecretStr
from redis import Redis

from bot.core.installation import Installation
from bot.core.settings import Settings
from bot.wecom import transport
from bot.wecom.api import text_in
from bot.wecom.api.app import AppApi
from bot.wecom.api.contact import ContactApi
from bot.wecom.api.kf import KfApi
from bot.wecom.errors import STALE_TOKEN, TOO_OFTEN, Busy, TokenRejected, WeComError
from bot.wecom.limits import Limits
from bot.wecom.shared import Shared
from bot.wecom.tokens import Lease
from bot.wecom.transport import Transport

log = structlog.get_logger(__name__)

T = TypeVar("T")
Read = Callable[[str, urllib3.BaseHTTPResponse], T]
LIFE_S = 7200.0  # of a token or ticket whose answer does not say
TICKETS = {"get_jsapi_ticket": {}, "ticket/get": {"type": "agent_config"}}
SECONDS = Histogram("fugou_wecom_call_seconds", "From asking WeCom to its answer", ["endpoint"])
ANSWERS = Counter(
    "fugou_wecom_answers", "WeCom's answers by errcode; held (by our count), NotSent, Unknown", ["endpoint", "errcode"]
)


class Client:
    """The calls under one secret of a corp; what wechatpy's API classes take for their client.

    agent_id: the app's, None for a secret that has none. tickets: what `bot.wecom.api.app` lends out, by endpoint.
    """

    def __init__(
        self, http: Transport, limits: Limits, shared: Shared, corp_id: str, secret: str, agent_id: int | None
    ) -> None:
        self.agent_id = agent_id
        self._http, self._limits = http, limits
        self._corp_id, self._secret = corp_id, secret
        owner = f"{corp_id} {secret}"
        self._token = Lease("token", owner, self._fetch_token, shared)
        self.tickets = {name: Lease(name, owner, self._fetcher(name, asked), shared) for name, asked in TICKETS.items()}

    def get(self, endpoint: str, **options: Any) -> dict[str, Any]:
        """WeCom's answer to a GET; `options` are those of `Transport.send`. Raises WeComError."""
        return self._authorised(transport.answer, "GET", endpoint, **options)

    def post(self, endpoint: str, **options: Any) -> dict[str, Any]:
        """As `get`, for a POST. receivers: counted one by one; counted_as: whose limits count (`Limits.take`)."""
        return self._authorised(transport.answer, "POST", endpoint, **options)

    def download(self, endpoint: str, **options: Any) -> transport.File:
        """As `get`, for an answer that is a file."""
        return self._authorised(transport.file, "GET", endpoint, **options)

    def _authorised(
        self, read: Read[T], method: str, endpoint: str, params: dict[str, Any] | None = None, **options: Any
    ) -> T:
        asked, token = params or {}, self._token.get()
        try:
            return self._call(read, method, endpoint, {**asked, "access_token": token}, **options)
        except TokenRejected as error:
            if error.errcode not in STALE_TOKEN:
                raise
        fresh = self._token.renew(token)
        return self._call(read, method, endpoint, {**asked, "access_token": fresh}, **options)

    def _call(
        self,
        read: Read[T],
        method: str,
        endpoint: str,
        params: dict[str, Any],
        receivers: Sequence[str] = (),
        counted_as: str = "",
        **options: Any,
    ) -> T:
        """One request, counted and timed."""
        try:
            self._limits.take(counted_as or endpoint, receivers)
        except Busy:
            ANSWERS.labels(endpoint, "held").inc()
            raise
        try:
            with SECONDS.labels(endpoint).time():
                response = self._http.send(method, endpoint, params, **options)
            found = read(endpoint, response)
        except WeComError as error:
            failure = self._noted(error, counted_as or endpoint)
        else:
            ANSWERS.labels(endpoint, "0").inc()
            return found
        raise failure

    def _noted(self, error: WeComError, counted_as: str) -> WeComError:
        kind = type(error).__name__ if error.errcode is None else str(error.errcode)
        ANSWERS.labels(error.endpoint, kind).inc()
        if error.errcode == TOO_OFTEN:
            error = Busy(error.endpoint, error.errcode, error.errmsg, self._limits.block(counted_as))
        log.info("WeCom call failed", endpoint=error.endpoint, errcode=error.errcode, errmsg=error.errmsg)
        return error

    def _fetch_token(self) -> tuple[str, float]:
        asked = {"corpid": self._corp_id, "corpsecret": self._secret}
        answer = self._call(transport.answer, "GET", "gettoken", asked)
        return text_in("gettoken", answer, "access_token"), _life(answer)

    def _fetcher(self, endpoint: str, asked: dict[str, str]) -> Callable[[], tuple[str, float]]:
        def fetch() -> tuple[str, float]:
            answer = self.get(endpoint, params=asked)
            return text_in(endpoint, answer, "ticket"), _life(answer)

        return fetch


class WeCom:
    """The corp of the settings. redis, prefix: see Shared. Raises BadSettings without corp id or app secret."""

    def __init__(self, settings: Settings, redis: Redis | None, prefix: str) -> None:
        settings.require("wecom_corp_id", "wecom_app_secret")
        shared, http = Shared(redis, prefix), Transport(settings.wecom_api_base)
        self.limits = Limits(shared)

        def client(secret: SecretStr, agent_id: int | None = None) -> Client:
            corp_id = settings.wecom_corp_id or ""
            return Client(http, self.limits, shared, corp_id, secret.get_secret_value(), agent_id)

        assert settings.wecom_app_secret is not None
        app = client(settings.wecom_app_secret, settings.wecom_agent_id)
        contact, kf = settings.wecom_contact_secret, settings.wecom_kf_secret
        self.app = AppApi(app)
        self.contact = ContactApi(client(contact) if contact else app)
        self.kf = KfApi(client(kf) if kf else app)


def wecom_of(installation: Installation) -> WeCom:
    """The client of this process; it shares its tokens with every other process of the installation."""
    made: WeCom | None = installation.caches.get("wecom")
    if made is None:
        made = WeCom(installation.settings, installation.redis, installation.key("wecom:"))
        installation.caches["wecom"] = made
    return made


def _life(answer: dict[str, Any]) -> float:
    """Seconds a token or ticket is good for."""
    seconds = answer.get("expires_in")
    return float(seconds) if isinstance(seconds, int | float) and seconds > 0 else LIFE_S
