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
from http.client import HTTPException
from typing import Any
from urllib.parse import urlencode, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.utils import get_environ_proxies
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)  # fmt: skip
from urllib3.filepost import encode_multipart_formdata

from bot.core.settings import BadSettings
from bot.wecom.errors import NotSent, Unknown, WeComError, answered

SLOTS = 32  # calls of a process at once, reads and sends alike; more wait for their turn
CONNECT_S, READ_S = 3.0, 5.0
HEADERS = {"Accept-Encoding": "gzip, deflate", "User-Agent": "fugou"}
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
        self._slots = threading.Semaphore(SLOTS)

    def send(
        self,
        method: str,
        endpoint: str,
        params: dict[str, Any],
        *,
        data: dict[str, Any] | None = None,
        files: dict[str, Any] | None = None,
        timeout: tuple[float, float] = (CONNECT_S, READ_S),
    ) -> urllib3.BaseHTTPResponse:
        """What comes back for one request, sent once; `answer` and `file` read it.

        data: sent as JSON, unescaped, as old endpoints insist (40033). timeout: seconds to connect, and of silence.
        Raises NotSent or Unknown.
        """
        body: bytes | None = None if data is None else json.dumps(data, ensure_ascii=False).encode()
        headers = dict(HEADERS)
        if files is not None:
            body, headers["Content-Type"] = encode_multipart_formdata(files)
        failure: WeComError
        try:
            pool, path = self._way()
            with self._slots:
                response: urllib3.BaseHTTPResponse = pool.urlopen(
                    method, f"{path}{endpoint}?{urlencode(params)}", body, headers,
                    timeout=urllib3.Timeout(*timeout), retries=False, redirect=False, assert_same_host=False,
                )  # fmt: skip
            return response
        except (HTTPError, HTTPException, OSError) as error:  # requests' InvalidURL among them
            failure = _failure(endpoint, error, timeout)
        raise failure  # outside of the except block, so that it has no context with the address in it

    def _way(self) -> tuple[Any, str]:
        """This thread's connection (urllib3's pool of one), and what stands before the endpoint.

        requests finds the way there, through the proxy and with the certificates that the environment names. A call
        then passes it by: it would take three times as long as urllib3 beneath it.
        """
        way: tuple[Any, str] | None = getattr(self._of_thread, "way", None)
        if way is None:
            adapter, proxies = HTTPAdapter(pool_connections=1, pool_maxsize=1), get_environ_proxies(self._base)
            verify = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE") or True
            there = requests.Request("GET", self._base).prepare()
            pool = adapter.get_connection_with_tls_context(there, verify, proxies)
            way = self._of_thread.way = pool, adapter.request_url(there, proxies)
        return way


def answer(endpoint: str, response: urllib3.BaseHTTPResponse) -> dict[str, Any]:
    """The JSON object of an answer whose errcode is 0.

    Raises what `answered` makes of another errcode, Unknown for what is not WeCom's.
    """
    read = _read(response)
    if read is None or (read[0] == 0 and response.status != requests.codes.ok):
        kind = response.headers.get("Content-Type", "no type")[:MOST_SHOWN]
        raise Unknown(endpoint, None, f"HTTP {response.status} of {kind} is not an answer of WeCom's")
    errcode, fields = read
    if errcode != 0:
        raise answered(endpoint, errcode, str(fields.get("errmsg", "")))
    return fields


def file(endpoint: str, response: urllib3.BaseHTTPResponse) -> File:
    """The file of an answer that is one. Raises as `answer` where it is none."""
    disposition = response.headers.get("Content-Disposition", "")
    if response.status != requests.codes.ok or not disposition:
        answer(endpoint, response)
        raise Unknown(endpoint, None, "the answer is no file")
    named = Message()
    named["Content-Disposition"] = disposition
    return File(response.data, response.headers.get("Content-Type", ""), named.get_filename(""))


def _read(response: urllib3.BaseHTTPResponse) -> tuple[int, dict[str, Any]] | None:
    try:
        # Customers' names hold control characters and, cut at some byte, broken UTF-8.
        fields = json.loads(response.data.decode("utf-8", "replace"), strict=False)
        return (int(fields.get("errcode", 0)), fields) if fields else None
    except (ValueError, TypeError, AttributeError):
        return None


def _failure(endpoint: str, error: Exception, timeout: tuple[float, float]) -> WeComError:
    cause = error.original_error if isinstance(error, ProxyError) else error
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
    if isinstance(error, ReadTimeoutError):
        return Unknown(endpoint, None, f"no answer within {timeout[1]:g} s")
    return Unknown(endpoint, None, "the connection was cut")
