"""The register of questions: the feature that owns a fact says what it is asked by, and answers with numbers (W2).

    @question("points", label=lambda locale: say(locale, "我的积分"), words="积分 / 余额 / my points")
    def points(session: Session, asker: Asker) -> str: ...

`words` are separated by slashes. A question with a label stands in the menu, in the order of `features.py`.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from bot.core.feature import Register
from handlers.chat import words
from handlers.chat.models import Conversation
from handlers.chat.rules import Vocabulary


@dataclass(frozen=True)
class Asker:
    """Who asks, in which locale (zh_CN, zh_TW, en) she is answered, and where."""

    customer_id: int
    locale: str
    conversation: Conversation


Telling = Callable[[Session, Asker], str]


@dataclass(frozen=True)
class Question:
    """tell: the answer, "" where it comes another way. menu: whether the menu stands under the answer."""

    name: str
    label: Callable[[str], str] | None
    words: tuple[str, ...]
    tell: Telling
    menu: bool


questions: Register[Question] = Register("questions")


def question(
    name: str, *, words: str, label: Callable[[str], str] | None = None, menu: bool = False
) -> Callable[[Telling], Telling]:
    """Mark a function that answers the question `name`."""
    listed = tuple(one for word in words.split("/") if (one := " ".join(word.split())))
    return lambda tell: questions.mark(tell, Question(name, label, listed, tell, menu))


def vocabulary() -> Vocabulary:
    """What the loaded questions make understood."""
    return _vocabulary(tuple(questions))


@functools.lru_cache(maxsize=1)
def _vocabulary(known: tuple[Question, ...]) -> Vocabulary:
    return Vocabulary.of(
        {one.name: one.words for one in known}, fillers=words.FILLERS.split(), negations=words.NEGATIONS.split(),
        false_friends=words.FALSE_FRIENDS.split(),
    )  # fmt: skip
