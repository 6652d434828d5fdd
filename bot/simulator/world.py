"""One simulated WeCom: its state behind one lock, its callbacks, limits, faults and the record of calls.

The lock is held while a call or an act reads and writes, never while a callback is sent or a fault sleeps.
"""

import secrets
import string
from collections import deque
from collections.abc import Callable
from datetime import datetime
from threading import RLock

from bot.core.clock import clock
from bot.simulator.callbacks import Callbacks, Source, Value, xml
from bot.simulator.faults import Faults
from bot.simulator.limits import Limits
from bot.simulator.records import App, Customer, Member, Message, Received
from bot.simulator.state import State

AGENT_ID = 1000002  # the first self-built app of a corp
CALLS = 20_000
_LETTERS = string.ascii_letters + string.digits


def new_id(prefix: str, length: int = 32) -> str:
    """An id in WeCom's form: a two-letter prefix and random letters, `length` in all."""
    return prefix + "".join(secrets.choice(_LETTERS) for _ in range(length - len(prefix)))


class World:
    """What a running simulator is about. `url` is its own address, known once it is bound."""

    def __init__(self, state: State) -> None:
        self.state, self.lock, self.url = state, RLock(), ""
        self.callbacks, self.limits, self.faults = Callbacks(state.corp_id), Limits(), Faults()
        self.calls = deque[dict[str, object]](maxlen=CALLS)
        state.apps.setdefault(state.main, App(state.main, name="Fugou"))

    def now(self) -> float:
        """The simulated moment in unix seconds."""
        return clock.now().timestamp()

    @property
    def app(self) -> App:
        """The app the simulator was started for, which owns the callback."""
        return self.state.apps[self.state.main]

    def emit(
        self,
        source: Source,
        key: str,
        fields: dict[str, Value],
        sender: str = "sys",
        replied: Callable[[str], None] | None = None,
    ) -> None:
        """Send a callback; `key` is what its order is kept by. kf events name no sender; see Callbacks.emit."""
        head: dict[str, Value] = {"ToUserName": self.state.corp_id}
        if sender:
            head["FromUserName"] = sender
        head["CreateTime"] = int(self.now())
        self.callbacks.agentid = self.agentid
        self.callbacks.emit(source, key, xml(head | fields), self.now(), replied)

    @property
    def agentid(self) -> int:
        """The app's agentid; until it is told, or the app's first message names it, that of a corp's first app."""
        return self.app.agentid or AGENT_ID

    def receive(self, receiver: str, via: str, sender: str, message: Message) -> None:
        """Something arrives in a customer's or a member's chat."""
        self.state.inbox.setdefault(receiver, []).append(Received(via, sender, self.now(), message))

    def member(self, userid: str, name: str | None = None) -> Member:
        """The member, made when missing, renamed when a name is given."""
        member = self.state.members.setdefault(userid, Member(userid, name or userid))
        member.name = name or member.name
        return member

    def customer(self, external_userid: str | None, name: str | None = None) -> Customer:
        """The customer, made when missing (with a new id where None is given), renamed when a name is given."""
        external_userid = external_userid or new_id("wm")
        made = self.state.customers.get(external_userid)
        if made is None:
            kind = 2 if external_userid.startswith("wo") else 1
            made = Customer(external_userid, name or external_userid, new_id("o", 28), type=kind)
            self.state.customers[external_userid] = made
        made.name = name or made.name
        return made


def change(record: object, **given: object) -> None:
    """Set the attributes that are given; None leaves one as it is."""
    for name, value in given.items():
        if value is not None:
            setattr(record, name, value)


def moment(at: float) -> str:
    """A unix time as /sim/ answers write it: RFC 3339 in UTC, milliseconds."""
    return datetime.fromtimestamp(at, tz=clock.now().tzinfo).isoformat(timespec="milliseconds").replace("+00:00", "Z")
