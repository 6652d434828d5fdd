"""What an area of the simulator offers: calls of WeCom's API, and acts that people do in WeCom's clients.

    area = Area()

    @area.api("GET", "user/get")            /cgi-bin/user/get, takes a Call, gives the answer without errcode
    @area.act("POST", "/staff")             /sim/staff, takes the World and the request's fields by name

An api function raises `Refused`; an act raises a `bot.core.errors.Problem`. Both run under the world's lock.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from werkzeug.datastructures import FileStorage

from bot.simulator.codes import Refused
from bot.simulator.fields import Fields
from bot.simulator.records import App, Member, Relation
from bot.simulator.state import State

if TYPE_CHECKING:
    from bot.simulator.world import World

Answer = dict[str, object]
Right = Literal["contact", "kf"]


@dataclass(frozen=True)
class Raw:
    """An answer that is a file and no JSON (media/get)."""

    content: bytes
    content_type: str
    filename: str


@dataclass
class Call:
    """One /cgi-bin/ call: whose token it carries, its query and its body."""

    world: "World"
    app: App
    query: Fields
    body: Fields
    files: Mapping[str, FileStorage]
    ip: str

    @property
    def state(self) -> State:
        return self.world.state

    def member(self, userid: str) -> Member:
        """A member the app may see. Raises Refused 60111 for an unknown one, 60011 for one out of its visible range."""
        member = self.state.members.get(userid)
        if member is None:
            raise Refused(60111, userid)
        if not self.app.sees(userid):
            raise Refused(60011, userid)
        return member

    def salesperson(self, userid: str) -> Member:
        """A member with 客户联系. Raises Refused as `member` does, and 84074 for one without."""
        member = self.member(userid)
        if not member.contact:
            raise Refused(84074, userid)
        return member

    def relation(self, userid: str, external_userid: str) -> Relation:
        """A relation the API may touch: 84061 where the member deleted her, or only she added him (half)."""
        relation = self.salesperson(userid).relations.get(external_userid)
        if external_userid not in self.state.customers:
            raise Refused(40096, external_userid)
        if relation is None or relation.half:
            raise Refused(84061)
        return relation


@dataclass(frozen=True)
class Api:
    method: Literal["GET", "POST"]
    path: str
    answer: Callable[[Call], Answer | Raw]
    right: Right | None = None
    token: bool = True


@dataclass(frozen=True)
class Act:
    method: str
    path: str
    do: Callable[..., Answer]


class Area:
    """A list of calls and acts, filled by decorators; `bot.simulator.site` lists the areas."""

    def __init__(self) -> None:
        self.apis: list[Api] = []
        self.acts: list[Act] = []

    def api(
        self, method: Literal["GET", "POST"], path: str, right: Right | None = None, token: bool = True
    ) -> Callable[[Callable[[Call], Answer | Raw]], Callable[[Call], Answer | Raw]]:
        """A call of WeCom's API. `right`: which permission the app needs; `token` False: works without access_token."""

        def register(answer: Callable[[Call], Answer | Raw]) -> Callable[[Call], Answer | Raw]:
            self.apis.append(Api(method, path, answer, right, token))
            return answer

        return register

    def act(self, method: str, path: str) -> Callable[[Callable[..., Answer]], Callable[..., Answer]]:
        """Something people do; its keyword parameters and their types are the request's fields."""

        def register(do: Callable[..., Answer]) -> Callable[..., Answer]:
            self.acts.append(Act(method, path, do))
            return do

        return register
