"""What happened is a row (G4): one append-only table, and the listeners that run in the same transaction.

A fact is a frozen dataclass with a name:

    @dataclass(frozen=True, kw_only=True)
    class OrderPaid(Event, name="order.paid"):
        order_id: int
        total_fen: int

    announce(session, OrderPaid(customer_id=7, order_id=9, total_fen=26800))

    @keeps(OrderPaid)
    def earn(session: Session, events: Sequence[OrderPaid]) -> None: ...       # books, for one as for thousands

    @on(OrderPaid)
    def thank(session: Session, event: OrderPaid) -> None: ...                 # what follows while it is news

Timeline, audit, triggers and webhooks read the table. Listeners touch the customer of the event only; what fans out or
takes long becomes a job row. The cause of an event announced by a listener is the event that listener heard. What is
announced as `history` (an import) is kept and causes nothing else: only `@keeps` hears it.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, TypeVar

from sqlalchemy import BigInteger, Connection, Identity, Index, PrimaryKeyConstraint, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from bot.core import clock
from bot.core.db import At, Base, Big, Json
from bot.core.feature import Register
from bot.core.sets import given, run


@dataclass(frozen=True, kw_only=True)
class Event:
    """A fact about one customer (or none). Subclasses name themselves as the contract does: `order.paid`."""

    name: ClassVar[str]
    customer_id: int | None

    @property
    def moment(self) -> datetime | None:
        """When it happened, where the fact itself says so (`paid_at`); None where that is when it is announced."""
        return None

    def __init_subclass__(cls, name: str, **more: Any) -> None:
        super().__init_subclass__(**more)
        cls.name = name


class EventRow(Base):
    """The table of events; partitioned by month of `at`, so its key is (id, at)."""

    __tablename__ = "events"
    __table_args__ = (
        PrimaryKeyConstraint("id", "at"),
        Index("ix_events_customer_id_at", "customer_id", "at", "id"),
        Index("ix_events_name_at", "name", "at"),
        {"postgresql_partition_by": "RANGE (at)"},
    )
    id: Mapped[int] = mapped_column(BigInteger, Identity())
    at: Mapped[At]
    name: Mapped[str]
    customer_id: Mapped[Big | None]
    actor: Mapped[str]
    why: Mapped[str]
    cause_id: Mapped[Big | None]
    data: Mapped[Json]


Kind = TypeVar("Kind", bound=Event)
Listener = Callable[[Session, Any], None]
Cares = Callable[[Session, Any], bool]


def always(session: Session, event: Event) -> bool:
    """What a listener cares for that says nothing else: every event of its kind."""
    return True


@dataclass(frozen=True)
class Ear:
    """A listener and what it hears. keeps: it takes several events at once, and those of history too."""

    kind: type[Event]
    listener: Listener
    keeps: bool = False
    cares: Cares = always

    def hears(self, session: Session, event: Event) -> bool:
        """Whether the event concerns it."""
        return isinstance(event, self.kind) and self.cares(session, event)


listeners: Register[Ear] = Register("listeners")


def on(
    kind: type[Kind], *, cares: Callable[[Session, Kind], bool] = always
) -> Callable[[Callable[[Session, Kind], None]], Callable[[Session, Kind], None]]:
    """Mark a function to be called with each event of `kind` (or a subclass), in the announcing transaction.

    It is for what follows from news (rules, messages, notices), so it does not hear `history`. cares: whether an event
    concerns it at all, told from memory; announcers save work for events that concern nobody.
    """
    return lambda function: listeners.mark(function, Ear(kind, function, cares=cares))


def keeps(
    kind: type[Kind],
) -> Callable[[Callable[[Session, Sequence[Kind]], None]], Callable[[Session, Sequence[Kind]], None]]:
    """Mark a function that keeps books of events of `kind`: it gets one or many, of any customers, news or history."""
    return lambda function: listeners.mark(function, Ear(kind, function, keeps=True))


@contextmanager
def history(session: Session) -> Iterator[None]:
    """What is announced in the block happened before Fugou was told: it is kept, and nobody acts upon it.

    Rules don't fire, nothing is sent; only `@keeps` listeners hear it, and what those announce is history too.
    """
    before = session.info.get("history", False)
    session.info["history"] = True
    try:
        yield
    finally:
        session.info["history"] = before


def announce(session: Session, event: Event, *, why: str = "", at: datetime | None = None) -> int:
    """Write the event's row, run its listeners in order, return the row's id.

    why: the reason in words a person reads (the rule's name, the operator's note). at: aware UTC, when it happened
    (default: now); a fact that knows its own moment keeps that.
    """
    return announce_all(session, [event], why=why, at=at)[0]


RECORD = "n int, name text, customer_id bigint, moment timestamptz, data jsonb"  # a row of `records`, for `sets.given`
NUMBERS = "events_id_seq"
WRITE = """INSERT INTO events (id, at, name, customer_id, actor, why, cause_id, data)
SELECT id, coalesce(moment, %(at)s), name, customer_id, %(actor)s, %(why)s, %(cause)s::bigint, data
FROM numbered_events"""
INSERT = f"""
WITH numbered_events AS MATERIALIZED (SELECT nextval('{NUMBERS}') AS id, u.* FROM {{rows}}),
written AS ({WRITE}) SELECT id FROM numbered_events ORDER BY n
"""  # noqa: S608  # names are ours


def announce_all(
    session: Session, events: Sequence[Event], *, why: str = "", at: datetime | None = None
) -> Sequence[int]:
    """Write the rows of several events by one statement, then run the listeners of each; returns the rows' ids."""
    ids = write(session, events, why=why, at=at)
    tell(session, events, ids)
    return ids


def write(session: Session, events: Sequence[Event], *, why: str = "", at: datetime | None = None) -> list[int]:
    """Write the rows of events by one statement and return their ids; whoever does so lets `tell` follow."""
    if not events:
        return []
    session.flush()  # listeners find what the announcer changed
    table, values = given("events", RECORD, records(events))
    written = run(session, INSERT.format(rows=table), **values, **context(session, why, at))
    return [event_id for (event_id,) in written]


def records(events: Sequence[Event]) -> list[dict[str, Any]]:
    """Events as rows of `RECORD`, for a statement of the announcer's own that has `WRITE` in it."""
    return [{"n": n, **_row(event)} for n, event in enumerate(events)]


def context(session: Session, why: str = "", at: datetime | None = None) -> dict[str, Any]:
    """The parameters `WRITE` takes beside the rows."""
    return {"at": at or clock.now(), "actor": session.info["actor"], "why": why, "cause": session.info.get("cause")}


def heard(session: Session, events: Sequence[Event]) -> bool:
    """Whether any of these concerns anybody."""
    kinds = {type(event) for event in events}
    ears = [ear for kind in kinds for ear in listeners if issubclass(kind, ear.kind)]
    return any(ear.hears(session, event) for event in events for ear in ears)


def tell(session: Session, events: Sequence[Event], ids: Sequence[int]) -> None:
    """Run the listeners of events whose rows were written under `ids`."""
    if session.info.get("history"):
        for ear in listeners:
            heard_by_it = [event for event in events if isinstance(event, ear.kind)] if ear.keeps else []
            if heard_by_it:
                ear.listener(session, heard_by_it)
        return
    for event, event_id in zip(events, ids, strict=True):
        _tell(session, event, event_id)


def _tell(session: Session, event: Event, event_id: int) -> None:
    before = session.info.get("cause")
    session.info["cause"] = event_id
    try:
        for ear in listeners:
            if ear.hears(session, event):
                ear.listener(session, [event] if ear.keeps else event)
    finally:
        session.info["cause"] = before


def _row(event: Event) -> dict[str, Any]:
    data = {
        name: value.astimezone(UTC) if isinstance(value, datetime) else value for name, value in vars(event).items()
    }
    return {"name": event.name, "customer_id": data.pop("customer_id"), "moment": event.moment, "data": data}


def make_partitions(connection: Connection, months: int = 3) -> None:
    """Make the partitions of this month and the next `months`; what is older or later lies in the default partition.

    A month that already has rows in the default partition keeps them there: attaching it would need them moved.
    """
    for ahead in range(months + 1):
        month = clock.month_of(clock.now(), UTC)
        first, after = (clock.month_start(month, UTC, plus) for plus in (ahead, ahead + 1))
        name = f"events_{first:%Y_%m}"
        taken = connection.execute(text("SELECT to_regclass(:name)"), {"name": name}).scalar()
        stray = text("SELECT 1 FROM events_default WHERE at >= :first AND at < :after LIMIT 1")
        if taken is None and connection.execute(stray, {"first": first, "after": after}).first() is None:
            span = f"FROM ('{first.isoformat()}') TO ('{after.isoformat()}')"
            connection.execute(text(f"CREATE TABLE {name} PARTITION OF events FOR VALUES {span}"))
