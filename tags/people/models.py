"""Tables of people. Every selector of the API is one look-up in `identities`."""

from datetime import date

from sqlalchemy import Date, ForeignKey, Index, LargeBinary, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class Customer(Base):
    """One person. A merged one points at its survivor and keeps its own rows, so that a merge can be undone (C2).

    merged_into: whom this one was merged into; survivor_id: where the chain of merges ends. Both None for who stands
    on her own.
    """

    __tablename__ = "customers"
    __table_args__ = (
        Index("ix_customers_merged_into", "merged_into", postgresql_where=text("merged_into IS NOT NULL")),
        Index("ix_customers_survivor_id", "survivor_id", postgresql_where=text("survivor_id IS NOT NULL")),
        Index("ix_customers_seen_at", "seen_at", "id"),
        Index("ix_customers_phone_tail", "phone_tail", postgresql_where=text("phone_tail <> ''")),
        Index("ix_customers_name_key", "name_key", postgresql_ops={"name_key": "text_pattern_ops"}),
    )
    id: Mapped[Id]
    name: Mapped[str]
    name_key: Mapped[str]  # pinyin, for sorting and finding: the database has no ICU
    avatar: Mapped[str]
    gender: Mapped[str]  # female, male or empty
    birthday: Mapped[date | None] = mapped_column(Date)
    city: Mapped[str]
    language: Mapped[str]  # zh-CN, zh-TW, en, or empty until she has written
    phone: Mapped[bytes | None] = mapped_column(LargeBinary)  # encrypted; the newest verified one
    phone_tail: Mapped[str]  # its last four digits, which operators search by
    created_at: Mapped[At]
    seen_at: Mapped[At]  # last touch of any kind; the list is sorted by it
    merged_into: Mapped[Big | None] = mapped_column(ForeignKey("customers.id"))
    survivor_id: Mapped[Big | None] = mapped_column(ForeignKey("customers.id"))


class Identity(Base):
    """A value that belongs to one customer alone. kind: unionid, external_userid, phone, email, shop_customer_id.

    value is the value itself, for phone and email its keyed hash (hex), so that no number lies here in clear.
    """

    __tablename__ = "identities"
    __table_args__ = (UniqueConstraint("kind", "value"),)
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), index=True)
    kind: Mapped[str]
    value: Mapped[str]
    source: Mapped[str]  # api, import, sms, wecom
    added_at: Mapped[At]


class Hint(Base):
    """A value that may be hers and proves nothing: a phone in a member's remark, one that another unionid holds too.

    Where it is another customer's identity, that is a suggested merge (C2).
    """

    __tablename__ = "hints"
    __table_args__ = (
        UniqueConstraint("customer_id", "kind", "value", "source"),
        Index("ix_hints_kind_value", "kind", "value"),
    )
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    kind: Mapped[str]
    value: Mapped[str]  # as in `identities`
    source: Mapped[str]  # remark:<userid>, conflict
    added_at: Mapped[At]


class Contact(Base):
    """A follow relation: one member and one external contact. status: active, customer_left, staff_left, transferred.

    facts is what WeCom told of it, in the order of arrival, append-only; status, half, added_at and ended_at are its
    fold (`rules.fold`).
    """

    __tablename__ = "contacts"
    __table_args__ = (UniqueConstraint("external_userid", "userid"), Index("ix_contacts_userid", "userid", "status"))
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), index=True)
    external_userid: Mapped[str]
    userid: Mapped[str] = mapped_column(ForeignKey("staff.userid"))
    status: Mapped[str]
    half: Mapped[bool]  # she added the member, who has not added her back yet: no API call reaches her
    added_at: Mapped[At]
    ended_at: Mapped[At | None]
    facts: Mapped[Json]  # [[kind, unix seconds, welcome code], …]
    state: Mapped[str]
    add_way: Mapped[int]
    remark: Mapped[str]
    description: Mapped[str]
    read_at: Mapped[At | None]  # when the API last showed it


class Staff(Base):
    """A member who follows customers (C5); known by sync, by a callback or a live code that names him."""

    __tablename__ = "staff"
    userid: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    supervisor: Mapped[str]
    active: Mapped[bool]
    read_at: Mapped[At | None]  # when `user/get` last gave name and supervisor
    left_at: Mapped[At | None]  # the corp; his customers wait for a successor


class Touch(Base):
    """A way she came to us (C1); the first and the newest of a customer are her source."""

    __tablename__ = "touches"
    __table_args__ = (Index("ix_touches_customer_id", "customer_id", "at", "id"),)
    id: Mapped[Id]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    at: Mapped[At]
    channel: Mapped[str]  # live_code, add_way, kf, group, referral, order, import
    state: Mapped[str]
    add_way: Mapped[int | None]
    inviter_id: Mapped[Big | None]
    detail: Mapped[Json]


class Merge(Base):
    """Two customers found to be one. `moved` names the rows that changed owner: undoing gives exactly those back."""

    __tablename__ = "merges"
    id: Mapped[Id]
    from_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), index=True)
    into_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), index=True)
    at: Mapped[At]
    actor: Mapped[str]
    why: Mapped[str]
    moved: Mapped[Json]  # {table: [id, …]}
    undone_at: Mapped[At | None]
    undone_by: Mapped[str | None]


class BulkRun(Base):
    """One action on many customers. whom: ids or filters (`bulk.Whom`); form_values: what was asked for, by the action.

    changed: to how many it made a difference so far. job_id, undo_job_id: whose progress says how far each is.
    """

    __tablename__ = "bulk_runs"
    id: Mapped[Id]
    action: Mapped[str]
    whom: Mapped[Json]
    form_values: Mapped[Json]
    changed: Mapped[Big]
    begun_at: Mapped[At]
    begun_by: Mapped[str]
    job_id: Mapped[Big | None]
    undone_at: Mapped[At | None]
    undone_by: Mapped[str | None]
    undo_job_id: Mapped[Big | None]


class SyncCursor(Base):
    """How far a full pull has come, so that the next run goes on there; the row goes when the pull is through."""

    __tablename__ = "sync_cursors"
    what: Mapped[str] = mapped_column(primary_key=True)
    done: Mapped[Json]  # {"members": [userid, …] still to do, "cursor": of the page to read next}
    at: Mapped[At]
