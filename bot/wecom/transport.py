"""One exchange with WeCom over HTTP: connections kept per thread, every wait bounded, every failure typed.

What matters of a failure is whether the request left, so that is decided here and nowhere else. requests puts the whole
address, token and secret in its query, into its exceptions; none of them is chained to ours. wecom.md §3.
"""

import json
import logging
import os
import ssl
import threading
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError, ProxyError

from bot.core.settings import BadSettings
from bot.wecom.errors import NotSent, Unknown, WeComError, answered

CONNECT_S, READ_S = 3.0, 5.0
MOST_SHOWN = 40  # characters of an answer that is not WeCom's

logging.getLogger("urllib3").setLevel(logging.ERROR)  # its lines of debug and warning hold the whole address


@dataclass(frozen=True)
class File:
    """A file that WeCom answered with; name and content_type are what WeCom says of it, "" where it says nothing."""

    content: bytes
    content_type: str
    name: str


class Transport:
    """Calls under one base address, for any number of threads. Raises BadSettings for an address that is none."""

    def __init__(self, base: str) -> None:
        try:
            usable = urlsplit(base).hostname and urlsplit(base).port != 0
        except ValueError:
            usable = False
        if not usable:
            raise BadSettings("FUGOU_WECOM_API_BASE is not an address: expected https://host/cgi-bin/")
        self._base = base.rstrip("/") + "/"
        self._of_thread = threading.local()

    def send(
        self,
        method: str,
        endpoint: str,
        params: dict[str, Any],
        *,
        data: dict[str, Any] | None = None,
        files: dict[str, Any] | None = None,
        timeout: tuple[float, float] = (CONNECT_S, READ_S),
    ) -> requests.Response:
        """What comes back for one request, sent once; `answer` and `file` read it.

        data: sent as JSON, unescaped, as old endpoints insist (40033). timeout: seconds to connect, and of silence.
        Raises NotSent or Unknown.
        """
        body = None if data is None else json.dumps(data, ensure_ascii=False).encode()
        failure: WeComError
        try:
            return self._session().request(
                method, self._base + endpoint, params, body, files=files, timeout=timeout, allow_redirects=False
            )
        except requests.RequestException as error:
            failure = _failure(endpoint, error, timeout)
        raise failure  # outside of the except block, so that it has no context with the address in it

    def _session(self) -> requests.Session:
        session: requests.Session | None = getattr(self._of_thread, "session", None)
        if session is None:
            session = self._of_thread.session = requests.Session()
            session.trust_env = False  # read here, once; else the environment is searched at each request
            session.proxies = get_environ_proxies(self._base)
            session.verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
            for scheme in ("http://", "https://"):
                session.mount(scheme, HTTPAdapter(pool_connections=1, pool_maxsize=1))
        return session


def answer(endpoint: str, response: requests.Response) -> dict[str, Any]:
    """The JSON object of an answer whose errcode is 0.

    Raises what `answered` makes of another errcode, Unknown for what is not WeCom's.
    """
    read = _read(response)
    if read is None or (read[0] == 0 and response.status_code != requests.codes.ok):
        kind = response.headers.get("Content-Type", "no type")[:MOST_SHOWN]
        raise Unknown(endpoint, None, f"HTTP {response.status_code} of {kind} is not an answer of WeCom's")
    errcode, fields = read
    if errcode != 0:
        raise answered(endpoint, errcode, str(fields.get("errmsg", "")))
    return fields


def file(endpoint: str, response: requests.Response) -> File:
    """The file of an answer that is one. Raises as `answer` where it is none."""
    disposition = response.headers.get("Content-Disposition", "")
    if response.status_code != requests.codes.ok or not disposition:
        answer(endpoint, response)
        raise Unknown(endpoint, None, "the answer is no file")
    named = Message()
    named["Content-Disposition"] = disposition
    return File(response.content, response.headers.get("Content-Type", ""), named.get_filename(""))


def _read(response: requests.Response) -> tuple[int, dict[str, Any]] | None:
    try:
        # Customers' names hold control characters and, cut at some byte, broken UTF-8.
        fields = json.loads(response.content.decode("utf-8", "replace"), strict=False)
        return (int(fields.get("errcode", 0)), fields) if fields else None
    except (ValueError, TypeError, AttributeError):
        return None


def _failure(endpoint: str, error: requests.RequestException, timeout: tuple[float, float]) -> WeComError:
    cause: object = getattr(error.args[0] if error.args else None, "reason", None)
    if isinstance(cause, ProxyError):
        cause = cause.original_error
    if isinstance(cause, NameResolutionError):
        return NotSent(endpoint, None, "its host name is unknown")
    if isinstance(cause, NewConnectionError):  # one of ConnectTimeoutError, by its class
        return NotSent(endpoint, None, "the connection was refused")
    if isinstance(cause, ConnectTimeoutError):
        return NotSent(endpoint, None, f"no connection within {timeout[0]:g} s")
    if isinstance(cause, Exception) and isinstance(cause.args[0] if cause.args else None, ssl.SSLCertVerificationError):
        return NotSent(endpoint, None, "its certificate is not trusted")
    if isinstance(error, requests.exceptions.InvalidURL):
        return NotSent(endpoint, None, "its host name can't be one")
    if isinstance(error, requests.ReadTimeout):
        return Unknown(endpoint, None, f"no answer within {timeout[1]:g} s")
    return Unknown(endpoint, None, "the connection was cut")
