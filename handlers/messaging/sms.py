"""SMS through a plain HTTP service (I5): one POST a message, made from a template, under the brand's 【signature】.

Settings: `FUGOU_SMS_URL`, `FUGOU_SMS_BODY` (JSON with {phone} and {text} in its strings), `FUGOU_SMS_TOKEN` (sent as a
bearer token), `FUGOU_SMS_OK` (what the answer of an accepted message contains; empty: any 2xx will do).
"""

import json
from typing import Any

import requests
from sqlalchemy.orm import Session

from bot.core.errors import Refusal
from bot.core.installation import Installation
from bot.core.preferences import preference
from bot.web.brand import brand_name

TIMEOUT_S = 5.0  # somebody waits for the page that sends it

sms_signature = preference(
    "sms_signature", str, default="", home=__name__,
    help="What stands in 【】 before every SMS, as the SMS service approved it; empty is the brand's name.",
)  # fmt: skip


class SmsRefused(Refusal):
    """The service said no: trying the same again does not help. The text is for logs and operators."""


class SmsUnknown(Refusal):
    """The service did not answer, or not in time: the message may have left, and is not sent again by itself."""


def configured(installation: Installation) -> bool:
    """Whether there is a service to send through."""
    return installation.settings.sms_url is not None


def text_of(session: Session, text: str) -> str:
    """A text as it leaves, under the signature."""
    signature = sms_signature.of(session) or brand_name.of(session)
    return f"【{signature}】{text}" if signature else text


def send(installation: Installation, e164: str, text: str) -> None:
    """Send one message now; hold no transaction meanwhile. Raises SmsRefused, SmsUnknown."""
    settings = installation.settings
    if settings.sms_url is None:
        raise SmsRefused("FUGOU_SMS_URL is not set")
    body = _filled(json.loads(settings.sms_body), {"{phone}": e164, "{text}": text})
    token = settings.sms_token.get_secret_value() if settings.sms_token else ""
    try:
        answer = requests.post(
            settings.sms_url, json=body, headers={"Authorization": f"Bearer {token}"} if token else {},
            timeout=TIMEOUT_S, allow_redirects=False,
        )  # fmt: skip
    except requests.RequestException as error:
        raise SmsUnknown(f"the SMS service did not answer: {type(error).__name__}") from error
    if answer.status_code >= 500:
        raise SmsUnknown(f"the SMS service answered {answer.status_code}")
    if answer.status_code >= 300 or settings.sms_ok not in answer.text:
        raise SmsRefused(f"the SMS service refused: {answer.status_code} {answer.text[:200]}")


def _filled(node: Any, values: dict[str, str]) -> Any:
    if isinstance(node, dict):
        return {key: _filled(inside, values) for key, inside in node.items()}
    if isinstance(node, list):
        return [_filled(inside, values) for inside in node]
    if isinstance(node, str):
        for mark, value in values.items():
            node = node.replace(mark, value)
    return node
