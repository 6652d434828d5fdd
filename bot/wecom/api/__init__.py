"""WeCom's endpoints as methods, named and parametrised as WeCom names them: wechatpy's classes and what they lack.

Writes answer with WeCom's whole object, reads with what was asked for in it, and what pages is an iterator over all
rows. Every method raises WeComError. The limits in the docstrings are WeCom's, which refuses what exceeds them.
"""

from collections.abc import Callable, Iterator
from typing import Any

from wechatpy.client.api.base import BaseWeChatAPI

from bot.wecom.errors import Unknown

Answer = dict[str, Any]


def given(**fields: Any) -> Answer:
    """The fields that are not None; WeCom takes an absent one for its default, or for "as it is"."""
    return {name: value for name, value in fields.items() if value is not None}


def object_in(endpoint: str, answer: Answer, name: str) -> Answer:
    """The object `name` of an answer. Raises Unknown where there is none."""
    found = answer.get(name)
    if not isinstance(found, dict):
        raise Unknown(endpoint, None, f"the answer has no {name}")
    return found


def text_in(endpoint: str, answer: Answer, name: str) -> str:
    """The text `name` of an answer. Raises Unknown where there is none."""
    found = answer.get(name)
    if not isinstance(found, str) or not found:
        raise Unknown(endpoint, None, f"the answer has no {name}")
    return found


class Api(BaseWeChatAPI):  # type: ignore[misc]  # wechatpy has no types
    """What the classes here share."""

    def _write(self, endpoint: str, data: Answer, **options: Any) -> Answer:
        """The whole answer to a POST."""
        return dict(self._post(endpoint, data=data, **options))

    def _object(self, endpoint: str, name: str, **asked: Any) -> Answer:
        """The object `name` in the answer to a POST."""
        return object_in(endpoint, self._post(endpoint, data=asked), name)

    def _rows(self, endpoint: str, name: str, **asked: Any) -> Iterator[Any]:
        """Each row of the list `name` in the answers to POSTs, page after page."""
        for page in self._pages(endpoint, lambda cursor: self._write(endpoint, given(cursor=cursor, **asked))):
            yield from page.get(name) or ()

    @staticmethod
    def _pages(endpoint: str, ask: Callable[[str], Answer]) -> Iterator[Answer]:
        """The answers to `ask(cursor)` as long as one names the next. Raises Unknown if the cursor stands still."""
        cursor = ""
        while True:
            page = ask(cursor)
            yield page
            before, cursor = cursor, page.get("next_cursor") or ""
            if not cursor:
                return
            if cursor == before:
                raise Unknown(endpoint, None, "the paging cursor stands still")
