"""What live codes announce."""

from dataclasses import dataclass

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class CameByLiveCode(Event, name="live_code.added"):
    """Her adding came through a code. missed: ids of its tags that are gone, or that WeCom has not made yet (C9)."""

    live_code_id: int
    name_of_code: str
    external_userid: str
    userid: str
    missed: list[int]
