"""`{name}` in texts: words from a list, each filled for the one who reads the text; never a template language.

    @placeholder("points", "积分", most_bytes=20, sample="1,280")
    def points(session: Session, reader: Reader) -> str: ...

What is not on the list is refused when a text is saved. A value longer than its `most_bytes` is cut, so that a text
which was saved can be sent, whoever reads it.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core.feature import Register
from bot.core.i18n import SOURCE, say
from bot.wecom import kf
from handlers.messaging import rules
from tags.people import service as people
from tags.people.models import Staff
from tags.people.relations import active_contacts

MARK = re.compile(r"\{([^{}\s]{1,20})\}")


@dataclass(frozen=True)
class Reader:
    """For whom a text is filled. name: hers, empty where nobody knows it. locale: zh_CN, zh_TW or en.

    userid: the member who says it, None where nobody is known.
    """

    customer_id: int
    name: str
    userid: str | None
    locale: str


Fill = Callable[[Session, Reader], str]


@dataclass(frozen=True)
class Placeholder:
    """names: what it is written as. most_bytes: of its longest value, in UTF-8. sample: hers whom a preview is for."""

    names: tuple[str, ...]
    most_bytes: int
    sample: str
    fill: Fill


placeholders: Register[Placeholder] = Register("placeholders")


def placeholder(*names: str, most_bytes: int, sample: str) -> Callable[[Fill], Fill]:
    """Mark a function that fills the placeholder of these names."""
    return lambda function: placeholders.mark(function, Placeholder(names, most_bytes, sample, function))


def reader(session: Session, customer_id: int, userid: str | None = None) -> Reader:
    """Who reads, in the language she last wrote in."""
    hers = people.customer(session, customer_id)
    return Reader(hers.id, hers.name, userid, hers.language.replace("-", "_") or SOURCE)


def check(text: str, most_bytes: int) -> str:
    """`text`, where it may be saved: every placeholder is known, and with the longest values it still fits.

    Raises ValueError that says what was found and what is expected.
    """
    known = _by_name()
    strange = next((name for name in MARK.findall(text) if name not in known), None)
    if strange is not None:
        listed = ", ".join(f"{{{one}}}" for one in known)
        raise ValueError(f"{{{strange}}} is not a placeholder; there are {listed}")
    if (most := longest(text)) > most_bytes:
        raise ValueError(f"may have {most} bytes with its placeholders filled, expected at most {most_bytes}")
    return text


def longest(text: str) -> int:
    """Bytes `text` may have once its placeholders are filled."""
    known = _by_name()
    grown = (known[name].most_bytes - rules.size(f"{{{name}}}") for name in MARK.findall(text) if name in known)
    return rules.size(text) + sum(max(0, more) for more in grown)


def fill(session: Session, text: str, reader: Reader) -> str:
    """`text` with each placeholder replaced; braces inside a value stay as they are, and an unknown one too."""
    known = _by_name()
    return "".join(_filled(session, part, known, reader) for part in _parts(text))


def samples() -> dict[str, str]:
    """What each placeholder says to the customer a preview is for, by every name it has."""
    return {name: one.sample for name, one in _by_name().items()}


def _parts(text: str) -> Iterator[str]:
    at = 0
    for found in MARK.finditer(text):
        yield text[at : found.start()]
        yield found[0]
        at = found.end()
    yield text[at:]


def _filled(session: Session, part: str, known: dict[str, Placeholder], reader: Reader) -> str:
    one = known.get(part[1:-1]) if part.startswith("{") else None
    return rules.fit(one.fill(session, reader), one.most_bytes) if one else part


def _by_name() -> dict[str, Placeholder]:
    return {name: one for one in placeholders for name in one.names}


@placeholder("name", "客户昵称", most_bytes=64, sample="陈静怡")
def name(session: Session, reader: Reader) -> str:
    """What she calls herself in WeChat; 您 or you where nobody knows."""
    return reader.name or say(reader.locale, "您")


@placeholder("staff", "员工", most_bytes=64, sample="王敏")
def staff(session: Session, reader: Reader) -> str:
    """The member who says it, else the one who follows her last."""
    contacts = active_contacts(session, reader.customer_id) if reader.userid is None else []
    userid = reader.userid or (contacts[0].userid if contacts else "")
    return session.scalar(select(Staff.name).where(Staff.userid == userid)) or say(reader.locale, "客服")


@placeholder("link", "链接", most_bytes=512, sample="https://work.weixin.qq.com/kfid/kfc…")
def link(session: Session, reader: Reader) -> str:
    """Her way to us: the chat in 微信客服, with her id signed into the address; empty while there is no account."""
    return kf.link(session, reader.customer_id) or ""
