"""Many people at once: who they are now, their locks, and whose the identities are that a file or a shop names (C2).

`known` is one rule for one order as for thousands of rows: matching is by unionid, then verified phone, then
order-system id; a stranger is made where nobody matches; values that two turn out to share make them one.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Problem
from bot.core.installation import installation_of, savepoint
from bot.core.sets import FEW, run
from tags.people import service
from tags.people.errors import TwoPeople, Unknown
from tags.people.identify import identify
from tags.people.models import Customer
from tags.people.names import name_key
from tags.people.selector import Selector

Pair = tuple[str, str]  # kind and value of an identity
Known = int | Problem | None  # whose it is, nobody's, or why that can't be said
OUR_ID = "customer_id"
PRIORITY = ("unionid", "phone", "shop_customer_id", "external_userid", "email")


@dataclass(frozen=True)
class Met:
    """Whose each row is; which customers were made for it, and to whom identities were added."""

    whose: list[Known]
    made: set[int]
    richer: set[int]


class Person(NamedTuple):
    """What a row says of somebody. identities: kind and value (a phone as E.164), all hers, at least one.

    A `customer_id` stands alone. name: for whom nobody knew. at: aware UTC, of the touch that makes her known (None:
    now). only_find: nobody is made for the row, and nothing it says is kept.
    """

    identities: tuple[Pair, ...]
    name: str = ""
    at: datetime | None = None
    only_find: bool = False

    @property
    def finds(self) -> bool:
        """Whether she can only be found; nobody can be made out of one of our ids."""
        return self.only_find or self.identities[0][0] == OUR_ID


SURVIVORS = "SELECT id, coalesce(survivor_id, id) FROM customers WHERE id = ANY(%(ids)s)"
LOCK = f"{SURVIVORS} ORDER BY id FOR NO KEY UPDATE"


def survivors(session: Session, customer_ids: Collection[int]) -> dict[int, int]:
    """Who each of these is now; ids that never were are not in it."""
    return dict(run(session, SURVIVORS, ids=list(customer_ids)))


def lock_ids(session: Session, customer_ids: Collection[int]) -> dict[int, int]:
    """`service.lock` for many: who each of these is now, and those are locked. Ids that never were are not in it."""
    wanted = sorted(set(customer_ids))
    if len(wanted) <= FEW:  # what follows asks for these again, and finds them read
        there = [one for one in wanted if session.get(Customer, one) is not None]
        return {asked: hers.id for asked, hers in zip(there, service.lock(session, *there), strict=True)}
    now = dict(run(session, LOCK, ids=wanted))
    while elsewhere := set(now.values()) - now.keys():
        now |= dict(run(session, LOCK, ids=sorted(elsewhere)))
    return {one: _end(now, one) for one in wanted if one in now}


def _end(now: Mapping[int, int], customer_id: int) -> int:
    while now[customer_id] != customer_id:  # merged while we waited for the lock
        customer_id = now[customer_id]
    return customer_id


def resolve_or_make(
    session: Session, selector: Selector, name: str = "", source: str = "api", at: datetime | None = None
) -> int:
    """The customer a selector means; a stranger (without contact) is made where nobody matches, once however many ask.

    at: aware UTC, of the touch that makes her known (default: now). source: who says so: api, import, sms, wecom; all
    of them make a phone verified (C2).
    Raises NotFound for an unknown customer_id, since nobody can be made out of that.
    """
    found = service.find(session, selector)
    if found is not None:
        return found
    if selector.pair[0] == "customer_id":
        raise Unknown(selector)
    [hers] = known(session, [Person((selector.pair,), name, at)], source).whose
    assert isinstance(hers, int)  # a single identity is one customer's
    return hers


def known(session: Session, people: Sequence[Person], source: str) -> Met:
    """Whose each row is, locked, all in one order, with the identities nobody had given to her.

    A stranger is made where a row means nobody, unless it only finds: then it is None.
    source: who says so: api, import; it makes a phone verified (C2). A row whose identities are two customers' makes
    them one (the older survives), or is a Problem where only a person can say that; so is one whose unionid is new,
    and whose other identities are those of somebody with another unionid.
    """
    said = {pair for person in people for pair in person.identities}
    kept = {
        pair: (pair[0], service.identity_value(session, *pair)) if pair[0] in service.HASHED else pair for pair in said
    }
    ids = {int(value) for kind, value in said if kind == OUR_ID}
    owners = service.owners(session, list(kept.values()))
    locked = lock_ids(session, ids.union(owners.values()))
    if any(one != hers for one, hers in locked.items()):
        owners = service.owners(session, list(kept.values()))  # a merge moved them while we waited
    owners |= {(OUR_ID, str(one)): locked[one] for one in ids & locked.keys()}
    rows = [[kept[pair] for pair in _ordered(person)] for person in people]
    makers = {at: pairs for at, pairs in enumerate(rows) if not people[at].finds}
    before = set(owners)
    new, others = _sort_out(makers, owners, _with_unionid(session, makers.values(), owners))
    fresh = owners.keys() - before
    made = _make(session, {whose: people[at] for whose, at in new.items()})
    if made:
        owners = {pair: made.get(whose, whose) for pair, whose in owners.items()}
    written = _keep(session, {pair: owners[pair] for pair in sorted(fresh)}, source)
    if lost := fresh - written:  # somebody else was quicker
        owners |= service.owners(session, list(lost))
    nobodys = set(made.values()) - set(owners.values())
    if nobodys:
        run(session, FORGET, ids=list(nobodys))
    _show_phones(session, {pair[1]: owners[its] for pair, its in kept.items() if pair[0] == "phone" and its in written})
    found: list[Known] = [
        owners.get(pairs[0]) if len(pairs) == 1 else next((owners[pair] for pair in pairs if pair in owners), None)
        for pairs in rows
    ]
    torn = [
        at for at, pairs in enumerate(rows)
        if len(pairs) > 1 and at in makers and at not in others and any(owners[pair] != found[at] for pair in pairs)
    ]  # fmt: skip
    for at in torn:
        found[at] = _joined(session, people[at], owners[rows[at][0]], source)
    if torn:
        now = survivors(session, {one for one in found if isinstance(one, int)})
        found = [now[one] if isinstance(one, int) else one for one in found]
    for at, pair in others.items():
        found[at] = TwoPeople(pair[0], owners[pair])
    return Met(found, set(made.values()) - nobodys, {owners[pair] for pair in written})


def _ordered(person: Person) -> Sequence[Pair]:
    if len(person.identities) == 1:
        return person.identities
    return sorted(person.identities, key=lambda pair: PRIORITY.index(pair[0]))


def _sort_out(
    makers: Mapping[int, Sequence[Pair]], owners: dict[Pair, int], with_unionid: set[int]
) -> tuple[dict[int, int], dict[int, Pair]]:
    """Give every pair an owner, a negative one where a customer is to be made.

    Returns the row each of those to be made is for, by that number, and for the rows that name another WeChat account
    than the customer they mean (C2), of which nothing is kept, the pair that is hers.
    """
    new: dict[int, int] = {}
    others: dict[int, Pair] = {}
    for at, hers in makers.items():
        known = next((pair for pair in hers if pair in owners), None)
        names_account = hers[0][0] == "unionid"
        if names_account and known not in (None, hers[0]) and owners[known] in with_unionid:
            others[at] = known
            continue
        whose = owners[known] if known is not None else -len(new) - 1
        if known is None:
            new[whose] = at
        if names_account:
            with_unionid.add(whose)
        for pair in hers:
            owners.setdefault(pair, whose)
    return new, others


def _with_unionid(session: Session, rows: Iterable[Sequence[Pair]], owners: Mapping[Pair, int]) -> set[int]:
    """Who of those has a unionid whom rows mean that name a unionid nobody has."""
    meant = {
        owners[pair]
        for pairs in rows if pairs[0][0] == "unionid" and pairs[0] not in owners
        for pair in pairs[1:] if pair in owners
    }  # fmt: skip
    held = "SELECT customer_id FROM identities WHERE kind = 'unionid' AND customer_id = ANY(%(ids)s)"
    return {one for (one,) in run(session, held, ids=list(meant))} if meant else set()


MAKE = """
INSERT INTO customers (name, name_key, avatar, gender, city, language, phone_tail, created_at, seen_at)
SELECT n, k, '', '', '', '', '', %(now)s, s
FROM unnest(%(names)s::text[], %(keys)s::text[], %(seen)s::timestamptz[]) WITH ORDINALITY AS u(n, k, s, nth)
ORDER BY nth RETURNING id
"""
FORGET = "DELETE FROM customers WHERE id = ANY(%(ids)s)"


def _make(session: Session, fresh: Mapping[int, Person]) -> dict[int, int]:
    """The ids of the customers made, by the numbers that stood for them. Nobody else knows them yet."""
    if not fresh:
        return {}
    now = clock.now()
    names = [one.name for one in fresh.values()]
    seen = [one.at or now for one in fresh.values()]
    ids = [made for (made,) in run(session, MAKE, names=names, keys=list(map(name_key, names)), seen=seen, now=now)]
    return dict(zip(fresh, ids, strict=True))


KEEP = """
INSERT INTO identities (customer_id, kind, value, source, added_at)
SELECT c, k, v, %(source)s, %(now)s FROM unnest(%(ids)s::bigint[], %(kinds)s::text[], %(values)s::text[]) AS u(c, k, v)
ON CONFLICT DO NOTHING RETURNING kind, value
"""


def _keep(session: Session, wanted: Mapping[Pair, int], source: str) -> set[Pair]:
    """Write the identities nobody had a moment ago; those that were written."""
    if not wanted:
        return set()
    values = {"kinds": [kind for kind, _ in wanted], "values": [value for _, value in wanted]}
    return set(run(session, KEEP, ids=list(wanted.values()), source=source, now=clock.now(), **values))


SHOW = """
UPDATE customers t SET phone = u.p, phone_tail = u.e
FROM unnest(%(ids)s::bigint[], %(phones)s::bytea[], %(tails)s::text[]) AS u(c, p, e) WHERE t.id = u.c
"""


def _show_phones(session: Session, phones: Mapping[str, int]) -> None:
    """Keep new phones (E.164, whose) to be shown masked, as `service.show_phone` does."""
    if phones:
        sealed = list(map(installation_of(session).vault.encrypt, phones))
        run(session, SHOW, ids=list(phones.values()), phones=sealed, tails=[phone[-4:] for phone in phones])
        for customer_id in phones.values():
            if (read := session.identity_map.get(session.identity_key(Customer, customer_id))) is not None:
                session.expire(read, ["phone", "phone_tail"])


def _joined(session: Session, person: Person, whose: int, source: str) -> Known:
    """Whose a row is whose identities are two customers': they become one."""
    try:
        with savepoint(session):
            for kind, value in _ordered(person):
                whose = identify(session, whose, kind, value, source=source)
    except Problem as problem:
        return problem
    return whose
