"""Who has which tag: put on, taken off, expired (T1, T2)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import tell, write
from tags.people import service as people
from tags.people.models import Customer
from tags.tagging import push
from tags.tagging.errors import Computed, NoTag, NotThereYet
from tags.tagging.events import AboutTag, TagAdded, TagRemoved
from tags.tagging.models import Assignment, Tag, TagGroup

EXPIRED_AT_ONCE = 500


@dataclass(frozen=True)
class Held:
    """A tag she has, with its group."""

    tag: Tag
    group: TagGroup
    assignment: Assignment


def assign(
    session: Session, customer_id: int, tag_ids: Sequence[int], *, source: str = "", why: str = "",
    expires_at: datetime | None = None,
) -> list[int]:  # fmt: skip
    """Put tags on her and return those that are new; siblings in single-choice groups go. Safe to repeat.

    source: who does it (default: the session's actor); why: in words. expires_at: aware UTC, None for good; of a tag
    she has the later end holds. Locks her, announces TagAdded and TagRemoved, pushes corp tags to her active relations.
    Raises NoTag, NotThereYet.
    """
    return change(session, customer_id, add=tag_ids, source=source, why=why, expires_at=expires_at)[0]


def unassign(
    session: Session, customer_id: int, tag_ids: Iterable[int], *, source: str = "", why: str = ""
) -> list[int]:
    """Take tags off her, corp tags off all her active relations too; returns those she had. Otherwise as `assign`."""
    return change(session, customer_id, remove=tag_ids, source=source, why=why)[1]


def change(
    session: Session, customer_id: int, *, add: Sequence[int] = (), remove: Iterable[int] = (), source: str = "",
    why: str = "", expires_at: datetime | None = None, at: datetime | None = None,
) -> tuple[list[int], list[int]]:  # fmt: skip
    """Take tags off her and put others on, as one change; what is new and what is gone. at: when (default: now)."""
    [made] = change_all(
        session, [customer_id], add=add, remove=remove, source=source, why=why, expires_at=expires_at, at=at
    )  # fmt: skip
    return made.added, made.taken


@dataclass(frozen=True)
class Change:
    """What is to become of one customer's tags. gone: with the reason."""

    customer_id: int
    new: list[tuple[Tag, TagGroup]]
    gone: list[tuple[Held, str]]

    @property
    def added(self) -> list[int]:
        """The ids of the tags that are new."""
        return [tag.id for tag, _ in self.new]

    @property
    def taken(self) -> list[int]:
        """The ids of the tags that are gone."""
        return [one.tag.id for one, _ in self.gone]

    @property
    def concerns_wecom(self) -> bool:
        """Whether a corp tag is among them."""
        return any(
            group.kind == "corp" for group in (*(group for _, group in self.new), *(one.group for one, _ in self.gone))
        )


def change_all(
    session: Session, customer_ids: Sequence[int], *, add: Sequence[int] = (), remove: Iterable[int] = (),
    source: str = "", why: str = "", expires_at: datetime | None = None, at: datetime | None = None,
) -> list[Change]:  # fmt: skip
    """`change` for each of several customers, in a few statements; what became of each survivor."""
    hers = list(dict.fromkeys(one.id for one in people.lock(session, *customer_ids)))
    source = source or session.info["actor"]
    wanted = _one_of_a_choice([_tag(session, tag_id) for tag_id in dict.fromkeys(add)])
    held, removed = of_each(session, hers), set(remove)
    changes = [_decided(one, held.get(one, []), wanted, removed, why) for one in hers]
    for change in changes:
        for one, _ in change.gone:
            session.delete(one.assignment)
        for tag_id in change.added:
            row = {"source": source, "at": at or clock.now(), "expires_at": expires_at}
            session.add(Assignment(customer_id=change.customer_id, tag_id=tag_id, **row))
    kept = {tag.id for tag, _ in wanted}
    for one in (one for each in held.values() for one in each if one.tag.id in kept):
        _lengthen(one.assignment, expires_at)
    _announce(session, changes, source, why)
    session.flush()
    for change in changes:
        if change.concerns_wecom:
            push.customer(session, change.customer_id)
    return changes


def _decided(
    customer_id: int, held: Sequence[Held], wanted: Sequence[tuple[Tag, TagGroup]], removed: set[int], why: str
) -> Change:
    choices = {group.id: tag for tag, group in wanted if group.single_choice}
    has, gone = {one.tag.id for one in held}, []
    for one in held:
        chosen = choices.get(one.group.id)
        if chosen is not None and chosen != one.tag:
            gone.append((one, f"single choice: {chosen.name}"))
        elif one.tag.id in removed:
            gone.append((one, why))
    return Change(customer_id, [(tag, group) for tag, group in wanted if tag.id not in has], gone)


def _announce(session: Session, changes: Sequence[Change], source: str, why: str) -> None:
    """Write all events before any listener runs: he finds the whole change, and may change her tags too."""
    told: list[tuple[AboutTag, str]] = []
    for one in changes:
        told += [(about(TagRemoved, one.customer_id, its.tag, its.group, source), reason) for its, reason in one.gone]
        told += [(about(TagAdded, one.customer_id, tag, group, source), why) for tag, group in one.new]
    numbers: list[int] = []
    for reason, some in groupby(told, key=itemgetter(1)):
        numbers += write(session, [event for event, _ in some], why=reason)
    tell(session, [event for event, _ in told], numbers)


def by_hand(session: Session, tag_id: int) -> None:
    """Check that a person may put a tag on or take it off. Raises NoTag, Computed (409)."""
    _, group = _tag(session, tag_id)
    if group.kind == "computed":
        raise Computed("tag", tag_id)


def rivals(session: Session, tag_ids: Sequence[int]) -> list[int]:
    """Of tags that are there, those nobody can have beside an earlier one of the list: single choice (T1)."""
    groups = [_tag(session, tag_id)[1] for tag_id in tag_ids]
    single = [group.id if group.single_choice else None for group in groups]
    return [tag_id for n, tag_id in enumerate(tag_ids) if single[n] is not None and single[n] in single[:n]]


def tag_ids(session: Session, customer_id: int) -> set[int]:
    """The ids of the tags she (a survivor) has."""
    return {one.tag.id for one in of(session, customer_id)}


def of(session: Session, customer_id: int) -> list[Held]:
    """The tags she has, in the order of groups and tags."""
    return of_each(session, [customer_id]).get(customer_id, [])


def of_each(session: Session, customer_ids: Sequence[int]) -> dict[int, list[Held]]:
    """The tags each of these customers (survivors) has; those without tags are not in it."""
    rows = (
        select(Tag, TagGroup, Assignment)
        .join(TagGroup, TagGroup.id == Tag.group_id)
        .join(Assignment, Assignment.tag_id == Tag.id)
        .where(Assignment.customer_id.in_(customer_ids), Tag.deleted_at.is_(None))
        .order_by(TagGroup.position.desc(), TagGroup.id, Tag.position.desc(), Tag.id)
    )
    found: dict[int, list[Held]] = {}
    for tag, group, assignment in session.execute(rows):
        found.setdefault(assignment.customer_id, []).append(Held(tag, group, assignment))
    return found


def expire(session: Session) -> int:
    """Take off what has expired, at most `EXPIRED_AT_ONCE`; returns how many."""
    due = (
        select(Assignment.customer_id, Assignment.tag_id)
        .join(Customer, Customer.id == Assignment.customer_id)
        .where(Assignment.expires_at <= clock.now(), Customer.merged_into.is_(None))
        .order_by(Assignment.customer_id, Assignment.expires_at)
        .limit(EXPIRED_AT_ONCE)
    )
    by_customer: dict[int, list[int]] = {}
    for customer_id, tag_id in session.execute(due):
        by_customer.setdefault(customer_id, []).append(tag_id)
    if by_customer:
        people.lock(session, *by_customer)
    return sum(
        len(unassign(session, customer_id, tag_ids, source="expiry", why="expired"))
        for customer_id, tag_ids in by_customer.items()
    )


def about(kind: type[AboutTag], customer_id: int, tag: Tag, group: TagGroup, source: str, **more: Any) -> AboutTag:
    """An event about a tag."""
    return kind(customer_id=customer_id, tag_id=tag.id, tag=tag.name, group=group.name, source=source, **more)


def _tag(session: Session, tag_id: int) -> tuple[Tag, TagGroup]:
    found = session.execute(
        select(Tag, TagGroup).join(TagGroup).where(Tag.id == tag_id, Tag.deleted_at.is_(None))
    ).one_or_none()
    if found is None:
        raise NoTag(tag_id)
    tag, group = found
    if group.kind == "corp" and tag.wecom_id is None:
        raise NotThereYet("tag", tag_id)
    return tag, group


def _one_of_a_choice(tags: list[tuple[Tag, TagGroup]]) -> list[tuple[Tag, TagGroup]]:
    """Of several tags of one single-choice group the last one named counts."""
    last = {group.id: tag for tag, group in tags if group.single_choice}
    return [(tag, group) for tag, group in tags if last.get(group.id, tag) is tag]


def _lengthen(assignment: Assignment, expires_at: datetime | None) -> None:
    before = assignment.expires_at
    assignment.expires_at = None if before is None or expires_at is None else max(before, expires_at)
