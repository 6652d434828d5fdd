"""What people announce."""

from dataclasses import dataclass
from datetime import datetime

from bot.core.events import Event


@dataclass(frozen=True, kw_only=True)
class ContactAdded(Event, name="contact.added"):
    """She and a member became friends; announced once per relation and adding, for half or full, whichever came first.

    customer: `new` (no earlier relation with any member) or `returning`. welcome_code: empty where WeCom gave none.
    added_at: CreateTime of the event, aware UTC; the welcome code lives 20 s from then. state: as WeCom gave it,
    untrusted.
    """

    external_userid: str
    userid: str
    customer: str
    state: str
    add_way: int
    half: bool
    welcome_code: str
    added_at: datetime


@dataclass(frozen=True, kw_only=True)
class ContactCompleted(Event, name="contact.completed"):
    """The member added her back: the half relation is whole, API calls reach her, her name and unionid are known."""

    external_userid: str
    userid: str


@dataclass(frozen=True, kw_only=True)
class ContactLeft(Event, name="contact.left"):
    """She deleted the member."""

    external_userid: str
    userid: str


@dataclass(frozen=True, kw_only=True)
class ContactRemoved(Event, name="contact.removed"):
    """The member deleted her, or the relation was transferred (reason: deleted, transferred)."""

    external_userid: str
    userid: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class WelcomeCodeCame(Event, name="contact.welcome_code"):
    """A later event of an adding already announced brought a welcome code (the full event after the half one)."""

    external_userid: str
    userid: str
    state: str
    welcome_code: str
    added_at: datetime


@dataclass(frozen=True, kw_only=True)
class ContactRecorded(Event, name="contact.recorded"):
    """A piece of a relation's history, learned when it was no news any more (told late, or read by a sync).

    It stands in the timeline and causes nothing. change: added, left, removed or transferred; the event's `at` is when
    it happened.
    """

    external_userid: str
    userid: str
    change: str


@dataclass(frozen=True, kw_only=True)
class TransferFailed(Event, name="contact.transfer_failed"):
    """She stays with `userid`: the transfer was refused. reason: WeCom's word (customer_refused, …)."""

    external_userid: str
    userid: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class CustomerChanged(Event, name="customer.changed"):
    """Profile fields, or the phone, were changed by hand or by the shop's API; the values are in the audit."""

    fields: list[str]


@dataclass(frozen=True, kw_only=True)
class CustomersMerged(Event, name="customer.merged"):
    """`customer_id` is the survivor; `from_id` was merged into her. Each feature moves or keeps its own rows."""

    merge_id: int
    from_id: int


@dataclass(frozen=True, kw_only=True)
class MergeUndone(Event, name="customer.merge_undone"):
    """`from_id` stands on her own again; `customer_id` has her rows until now (the survivor, or hers in turn)."""

    merge_id: int
    from_id: int
