"""Which chats take somebody in, and what happens when none does (T7): pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

CAPACITY = 200  # people, the default and the most: WeCom's own limit of who joins a group by a code
WhenFull = Literal["new_chat", "wait"]  # what happens when every chat of a pool is full
LISTED = 5  # chats of one join way (wecom.md §3.9)


@dataclass(frozen=True)
class Fill:
    """How full a chat is. people: members and customers, as groupchat/get lists them; customers: the latter alone."""

    chat_id: str
    people: int
    customers: int
    dismissed: bool = False


def when_full(wanted: WhenFull | None, capacity: int) -> WhenFull:
    """What a route does when all its chats are full; unsaid, WeCom makes a new one where it can.

    It does so only when a chat has reached WeCom's own limit, so a smaller capacity waits. Raises ValueError.
    """
    if wanted == "new_chat" and capacity < CAPACITY:
        raise ValueError(f"new_chat needs the capacity {CAPACITY}, at which WeCom makes a chat; found {capacity}")
    return wanted or ("new_chat" if capacity >= CAPACITY else "wait")


def places(pool: Sequence[Fill], capacity: int) -> int:
    """How many more the chats of a pool take in together."""
    return sum(max(capacity - chat.people, 1) for chat in pool if has_room(chat, capacity))


def has_room(chat: Fill, capacity: int) -> bool:
    """Whether one more may come in. A chat in which staff alone fill the capacity takes its first customer."""
    return not chat.dismissed and (chat.people < capacity or chat.customers == 0)


def to_list(pool: Sequence[Fill], capacity: int) -> list[str]:
    """The chats a join way leads to: the first `LISTED` of the pool that have room, in its order."""
    return [chat.chat_id for chat in pool if has_room(chat, capacity)][:LISTED]
