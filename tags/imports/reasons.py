"""Why a row was rejected: kept as it was found, told in the reader's language."""

from dataclasses import dataclass, field
from typing import Any

from bot.core.i18n import say

MOST_SHOWN = 40  # characters of what was found


@dataclass(frozen=True)
class Reason:
    """text: Chinese, a key of the catalogs; values: its placeholders. column: which one, as the file calls it.

    found: what stood there.
    """

    text: str
    values: dict[str, Any] = field(default_factory=dict)
    column: str = ""
    found: str = ""

    def words(self, lang: str) -> str:
        """The sentence in `lang` (zh_CN, zh_TW, en): the column, what was expected and what was found."""
        said = say(lang, self.text, **self.values)
        if not self.column:
            return said
        if not self.found:
            return say(lang, "%(column)s：%(expected)s", column=self.column, expected=said)
        return say(lang, "%(column)s：%(expected)s，找到的是「%(found)s」", column=self.column, expected=said,
                   found=self.found)  # fmt: skip

    def json(self) -> list[Any]:
        return [self.text, self.values, self.column, self.found]


def reason(text: str, **values: Any) -> Reason:
    """A reason that is about no column; the text is collected for translation."""
    return Reason(text, values)


class Bad(ValueError):
    """A cell that can't be read; `reason` says what was expected."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason.text)
        self.reason = reason


def about(column: str, found: str, because: Reason) -> Reason:
    """The reason, told of a cell of `column` that holds `found`."""
    shown = found if len(found) <= MOST_SHOWN else f"{found[: MOST_SHOWN - 1]}…"
    return Reason(because.text, because.values, column, shown)
