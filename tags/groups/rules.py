"""Which route is hers and which chats take somebody in (T7): pure."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

CAPACITY = 200  # people, the default; WeCom's own limit of a group
LISTED = 5  # chats of one join way (wecom.md §3.9)


@dataclass(frozen=True)
class Fill:
    """How full a chat is. people: members and customers, as groupchat/get lists them; customers: the latter alone."""

    chat_id: str
    people: int
    customers: int
    dismissed: bool = False


def first_route(routes: Sequence[tuple[int, int]], tags: Collection[int]) -> int | None:
    """Of (route, tag) in their order the first whose tag is among `tags`; None if there is none."""
    return next((route for route, tag in routes if tag in tags), None)


def has_room(chat: Fill, capacity: int) -> bool:
    """Whether one more may come in. A chat in which staff alone fill the capacity takes its first customer."""
    return not chat.dismissed and (chat.people < capacity or chat.customers == 0)


def to_list(pool: Sequence[Fill], capacity: int) -> list[str]:
    """The chats a join way leads to: the first `LISTED` of the pool that have room, in its order."""
    return [chat.chat_id for chat in pool if has_room(chat, capacity)][:LISTED]
