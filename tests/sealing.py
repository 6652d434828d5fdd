"""Callbacks as WeCom sends them, sealed by wechatpy's crypto: an independent peer of ours and of the simulator's."""

import base64
import hashlib
import itertools
from typing import Any

import requests
from wechatpy.crypto import PrpCrypto

CORP, TOKEN, AES_KEY = "ww0123456789abcdef", "callbackToken", "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"
_numbers = itertools.count(1)


def added(external_userid: str, userid: str = "lily", created: int = 1_790_000_000, **more: str) -> str:
    """The XML of an add_external_contact."""
    extra = "".join(f"<{name}><![CDATA[{value}]]></{name}>" for name, value in more.items())
    return (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>"
        f"<CreateTime>{created}</CreateTime><MsgType><![CDATA[event]]></MsgType>"
        "<Event><![CDATA[change_external_contact]]></Event><ChangeType><![CDATA[add_external_contact]]></ChangeType>"
        f"<UserID><![CDATA[{userid}]]></UserID><ExternalUserID><![CDATA[{external_userid}]]></ExternalUserID>{extra}</xml>"
    )


def sealed(xml: str, *, corp: str = CORP, token: str = TOKEN) -> tuple[dict[str, str], bytes]:
    """Query and body of one delivery."""
    secret = PrpCrypto(base64.b64decode(AES_KEY + "=")).encrypt(xml, corp).decode()
    query = signed(secret, token)
    return query, (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><AgentID><![CDATA[]]></AgentID>"
        f"<Encrypt><![CDATA[{secret}]]></Encrypt></xml>"
    ).encode()


def signed(secret: str, token: str = TOKEN) -> dict[str, str]:
    stamp, nonce = "1790000000", f"n{next(_numbers)}"
    signature = hashlib.sha1("".join(sorted((token, stamp, nonce, secret))).encode()).hexdigest()
    return {"msg_signature": signature, "timestamp": stamp, "nonce": nonce}


def deliver(url: str, xml: str, source: str = "contact", **more: Any) -> requests.Response:
    query, body = sealed(xml, **more)
    return requests.post(f"{url}/wecom/callback/{source}", params=query, data=body, timeout=10)
