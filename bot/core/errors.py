"""Expected refusals as types.

    Refusal                     one plain sentence for a person; commands print it and exit 1
    └── Problem                 a refusal of a request: HTTP status, title, and the places in the request that are wrong
        ├── NotFound            404
        ├── Conflict            409
        ├── Forbidden           403
        └── Unacceptable        422, with JSON pointers

`bot.web.problems` is the one place that turns a Problem into an RFC 9457 document.
"""

from dataclasses import dataclass, field, replace
from typing import ClassVar


class Refusal(Exception):
    """Something was refused for a reason a person can act on; `str()` is one plain sentence."""


@dataclass(frozen=True)
class Fault:
    """One bad place in a request: a JSON pointer (`/items/0/quantity`) and what was expected there.

    words: the same for the reader of a page, a string or one that is translated when shown; None says `detail` to all.
    """

    pointer: str
    detail: str
    words: object = field(default=None, compare=False)

    def under(self, at: str) -> "Fault":
        """The same in what the pointer `at` names."""
        return replace(self, pointer=at + self.pointer)

    @property
    def said(self) -> str:
        """What a page says."""
        return self.detail if self.words is None else str(self.words)


class Problem(Refusal):
    """A request that can't be done. `facts` become members of the problem document beside the standard ones.

    words: `detail` for the reader of a page, as of a `Fault`.
    """

    status: ClassVar[int] = 400
    title: ClassVar[str] = "Bad request"

    def __init__(self, detail: str, faults: tuple[Fault, ...] = (), words: object = None, **facts: object) -> None:
        super().__init__(detail)
        self.detail, self.faults, self.words, self.facts = detail, faults, words, facts

    @property
    def said(self) -> str:
        """What a page says that shows it in one sentence."""
        found = (one for one in (self.words, *(fault.words for fault in self.faults)) if one is not None)
        return str(next(found, self.detail))


class NotFound(Problem):
    """What the request names does not exist."""

    status, title = 404, "Not found"


class Conflict(Problem):
    """The request is well-formed and can't be done in the present state."""

    status, title = 409, "Conflict"


class Forbidden(Problem):
    """The caller may not do this."""

    status, title = 403, "Forbidden"


class Unacceptable(Problem):
    """Well-formed but not acceptable; `at()` names one place."""

    status, title = 422, "Not acceptable"

    @classmethod
    def at(cls, pointer: str, detail: str, words: object = None, **facts: object) -> "Unacceptable":
        return cls(detail, (Fault(pointer, detail, words),), **facts)
