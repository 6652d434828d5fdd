"""What rules may wait for of the chat: a message with words, or that a pattern finds (T3)."""

import functools
from typing import Annotated, Any, Literal, Self

import re2
from flask_babel import lazy_gettext as _l
from pydantic import Field, model_validator
from sqlalchemy import ARRAY, TIMESTAMP, BigInteger, ColumnElement, bindparam, func, select
from sqlalchemy.orm import Session

from bot.core.events import Event, EventRow
from bot.core.i18n import say
from bot.web.api import Body, bad
from handlers.chat.events import MessageReceived
from handlers.chat.rules import Units, units
from tags.conditions.controls import Choice, Control, Lines, Option
from tags.conditions.triggers import Filter, Past, Row, Times, Trigger, trigger

MOST_WORDS = 50
MOST_READ = 50_000  # messages of history, newest first, that a dry run reads
TEXT = "text"

Word = Annotated[str, Field(min_length=1, max_length=200)]
its_units = functools.lru_cache(maxsize=4096)(units)


class Match(Body):
    """Words as a person writes them, of which one stands in the text (contains) or is the text (exact), whatever their
    width, case and script; or patterns in RE2's syntax, of which one finds something in it."""

    kind: Literal["contains", "exact", "regex"]
    words: Annotated[list[Word], Field(min_length=1, max_length=MOST_WORDS)]

    @model_validator(mode="after")
    def _readable(self) -> Self:
        for word in self.words:
            if self.kind == "regex":
                _pattern(word)
            elif not its_units(word):
                raise bad(
                    f"{word} has neither letters nor digits, expected words", _l("「%(word)s」里没有字", word=word)
                )
        return self

    def finds(self, text: str) -> bool:
        """Whether the text is meant."""
        if self.kind == "regex":
            return any(_pattern(word).search(text) is not None for word in self.words)
        said = its_units(text)
        if self.kind == "exact":
            return any(its_units(word) == said for word in self.words)
        return any(_within(its_units(word), said) for word in self.words)

    def said(self, lang: str) -> str:
        """What a person reads."""
        words = say(lang, "、").join(say(lang, "「%(word)s」", word=word) for word in self.words)
        sentences = {
            "contains": say(lang, "内容含%(words)s", words=words), "exact": say(lang, "内容是%(words)s", words=words),
            "regex": say(lang, "内容符合%(words)s", words=words),
        }  # fmt: skip
        return sentences[self.kind]


@functools.lru_cache(maxsize=512)
def _pattern(pattern: str) -> Any:
    """RE2 takes time in proportion to the text, whatever the pattern. Raises ValueError with its words."""
    options = re2.Options()
    options.log_errors, options.case_sensitive, options.max_mem = False, False, 1 << 20
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        said = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise bad(
            f"{pattern} is no pattern in RE2's syntax: {said}",
            _l("「%(pattern)s」不是能用的正则表达式", pattern=pattern),
        ) from None


def _within(word: Units, said: Units) -> bool:
    return any(said[at : at + len(word)] == word for at in range(len(said) - len(word) + 1))


class Says(Filter):
    """The text of a message."""

    def takes(self, session: Session, value: Match, event: Event) -> bool:
        assert isinstance(event, MessageReceived)
        return event.kind == TEXT and value.finds(event.text)

    def passes(self, value: Match, found: Any) -> bool:
        return value.finds(found)

    def sql(self, value: Match, row: Row) -> ColumnElement[bool]:
        raise NotImplementedError("PostgreSQL knows neither the normal form of words nor RE2: see Received.past")

    def words(self, session: Session, value: Match, lang: str) -> str:
        return value.said(lang)

    def controls(self, session: Session, name: str, lang: str, *, needed: bool, many: bool) -> list[Control]:
        ways = [
            Option("contains", say(lang, "含其中一个")), Option("exact", say(lang, "就是其中一个")),
            Option("regex", say(lang, "符合正则（RE2）")),
        ]  # fmt: skip
        words = Lines(f"{name}.words", say(lang, "词"), optional=True)
        return [Choice(f"{name}.kind", self.label(lang), True, ways), words]


@trigger(MessageReceived, lambda lang: say(lang, "发来消息"))
class Received(Trigger):
    """She wrote in 微信客服; without `match`, anything."""

    match: Annotated[Match | None, Says("text", lambda lang: say(lang, "内容"))] = None

    def past(self, past: Past) -> Times:
        """As every trigger's, of the newest `MOST_READ` texts: words are compared here, not in PostgreSQL."""
        if self.match is None:
            return super().past(past)
        texts = select(EventRow.customer_id, EventRow.at, EventRow.data["text"].astext).where(
            EventRow.name == self.event, EventRow.at > past.since, EventRow.customer_id.is_not(None),
            EventRow.data["kind"].astext == TEXT,
        )  # fmt: skip
        rows = past.session.execute(texts.order_by(EventRow.at.desc()).limit(MOST_READ))
        found = [(customer_id, at) for customer_id, at, text in rows if self.match.finds(text)]
        whose = bindparam("whose", [customer_id for customer_id, _ in found], ARRAY(BigInteger), unique=True)
        moments = bindparam("moments", [at for _, at in found], ARRAY(TIMESTAMP(timezone=True)), unique=True)
        table = func.unnest(whose, moments).table_valued("customer_id", "at").render_derived()
        return select(table.c.customer_id, table.c.at)
