"""What goes wrong with WeCom, as types.

    Refusal (bot.core.errors)
    ├── BadEnvelope       400, a callback that is not whole; nothing of it is kept
    │   ├── NotFromWeCom  403, a wrong signature, or for another corp
    │   └── TooLarge      413
    ├── Unreadable        decrypted, and yet not a message as WeCom writes them; kept and parked
    └── WeComError        a call that failed: was it done, and when can another try help?
        ├── Refused       WeCom said no, and will say no again
        ├── TokenRejected WeCom takes nothing from this program (secret, token, app, address); not done
        ├── Busy          not now; not done
        ├── NotSent       the request never left; not done
        └── Unknown       the request left and no answer of WeCom's came back; it may have been done

No text here holds a secret, a token or an address with one in it.
"""

import re
from typing import ClassVar

from bot.core.errors import Problem, Refusal
from bot.wecom.errcodes import EXPLAINED

SOON_S = 1.0  # where WeCom names no time
DISPATCHING_S = 10.0  # 41063: a mass send asked about right after it was made
SETTING_S = 60.0  # a new secret or allowed address works about a minute after it is saved (wecom.md §3.1)
BLOCKED_S = 60.0  # 45009: the shortest block of wecom.md §3.2; bot.wecom.limits knows the longer ones

BUSY = {-1: SOON_S, 6000: SOON_S, 45033: SOON_S, 41096: SOON_S, 41063: DISPATCHING_S, 45009: BLOCKED_S}
NOT_ACCEPTED = frozenset({40001, 40013, 40014, 40091, 41001, 41002, 41004, 42001, 50003, 50006, 60020})
STALE_TOKEN = frozenset({40014, 42001})  # what a fresh token mends; 40001 is a wrong secret (wecom.md §3.1)
TOO_OFTEN = 45009
UNTRUSTED = 60020
IN_BRACKETS = re.compile(r"\((-?\d+)[ )]")
FROM_ADDRESS = re.compile(r", from ip: [0-9a-fA-F.:]+")
MOST_SAID = 200  # characters of an errmsg that are kept


class BadEnvelope(Problem):
    """A callback that is malformed; the sender gets `status` and nothing is kept (wecom.md §1)."""

    status, title = 400, "Callback refused"


class NotFromWeCom(BadEnvelope):
    """The signature was not made with our token, or the message is for another corp."""

    status = 403


class TooLarge(BadEnvelope):
    """The body has more than 1 MiB."""

    status = 413


class Unreadable(Refusal):
    """Not a message as WeCom writes them; the text names the place."""


class WeComError(Refusal):
    """A call to WeCom failed. `str()` and `en` are one English sentence, `zh` is the same in Chinese.

    endpoint: the path after `/cgi-bin/`. errcode: WeCom's, None where no answer of WeCom's exists.
    errmsg: WeCom's words without the hint and address it appends, or what became of the connection.
    wait_s: seconds after which another try can help; 0 where nobody knows, or it never can.
    permanent: another try can't help. may_be_done: the request may have had its effect.
    """

    permanent: ClassVar[bool] = False
    may_be_done: ClassVar[bool] = False
    says: ClassVar[tuple[str, str]]

    def __init__(self, endpoint: str, errcode: int | None = None, errmsg: str = "", wait_s: float = 0.0) -> None:
        super().__init__(endpoint, errcode, errmsg, wait_s)
        self.endpoint, self.errcode, self.errmsg, self.wait_s = endpoint, errcode, errmsg, wait_s

    @property
    def zh(self) -> str:
        return "：".join(self._parts(0))

    @property
    def en(self) -> str:
        return ": ".join(self._parts(1))

    def __str__(self) -> str:
        return self.en

    def _parts(self, language: int) -> list[str]:
        said = self.says[language].format(endpoint=self.endpoint, wait=round(self.wait_s))
        raw = " ".join(str(part) for part in (self.errcode, self.errmsg) if part not in (None, ""))
        if self.errcode not in EXPLAINED:
            return [said, raw] if raw else [said]
        return [said, f"{EXPLAINED[self.errcode][language]} ({raw})"]


class Refused(WeComError):
    """WeCom answered no to this very request."""

    permanent = True
    says = ("企业微信拒绝了 {endpoint}", "WeCom refused {endpoint}")


class TokenRejected(WeComError):
    """WeCom takes nothing from this program until somebody changes a setting; one fresh token was tried."""

    says = ("企业微信不接受本程序的调用 {endpoint}", "WeCom does not accept this program's call of {endpoint}")


class Busy(WeComError):
    """WeCom, or our own count of its limits, says not now."""

    says = ("企业微信暂不受理 {endpoint}，{wait} 秒后再试", "WeCom takes {endpoint} again in {wait} s")


class NotSent(WeComError):
    """No connection was made: refused, unknown host, time-out of connecting, bad certificate."""

    says = ("连接不上企业微信，{endpoint} 没有发出", "WeCom could not be reached, {endpoint} was not sent")


class Unknown(WeComError):
    """Sent, then cut, timed out, or answered with something that is not WeCom's."""

    may_be_done = True
    says = ("企业微信没有答复 {endpoint}，可能已执行", "WeCom did not answer {endpoint}, which may have been done")


def code_in(sentence: str) -> int | None:
    """The errcode in a sentence of a WeComError that was kept, None where it has none."""
    found = IN_BRACKETS.search(sentence)
    return int(found[1]) if found else None


def answered(endpoint: str, errcode: int, errmsg: str) -> WeComError:
    """The error for an errcode other than 0 (wecom.md §3, §5)."""
    said, _, hint = errmsg.partition(", hint:")
    said = said[:MOST_SAID]
    if errcode == UNTRUSTED and (address := FROM_ADDRESS.search(hint)):
        said += address[0]  # the one to add
    if errcode in BUSY:
        return Busy(endpoint, errcode, said, BUSY[errcode])
    if errcode in NOT_ACCEPTED:
        return TokenRejected(endpoint, errcode, said, SETTING_S)
    return Refused(endpoint, errcode, said)
