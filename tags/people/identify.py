"""Who is who (C2): a value belongs to one customer, and a value that two turn out to share makes them one.

Matching is by unionid, then verified phone, then order-system id. The older customer survives, so that ids a shop has
kept stay. Two unionids are two WeChat accounts: a phone they share proves nothing and only suggests a merge, and what a
person took apart is not joined again.
"""

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from bot.core import clock
from tags.people import service
from tags.people.errors import TwoPeople
from tags.people.merge import merge, parted
from tags.people.models import Hint, Identity
from tags.people.phones import normalised


def identify(session: Session, customer_id: int, kind: str, value: str, *, source: str) -> int:
    """Give her an identity; where it is another's, both become one (the older survives). Returns the survivor.

    kind: unionid, external_userid, phone (E.164), email, shop_customer_id. source: api, import, sms, wecom. Announces
    CustomersMerged. Call it before any other lock: it locks her and the other, sorted.
    Raises TwoPeople (409) where only a person can say that they are one; that becomes a suggested merge.
    """
    kept = service.identity_value(session, kind, value)
    hers = service.lock(session, customer_id)[0].id
    holder = service.keep_identity(session, hers, kind, kept, source)
    if holder != hers:
        if _apart(session, kind, hers, holder):
            suggest(session, hers, kind, kept, source="conflict")
            raise TwoPeople(kind, holder)
        older, newer = sorted((hers, holder))
        merge(session, newer, older, why=f"{kind} of both")
        hers = older
    if kind == "phone":
        service.show_phone(session, hers, value)
    return hers


def recognise(session: Session, external_userid: str, unionid: str = "", name: str = "") -> int:
    """The customer behind an external contact, made if nobody is; her unionid may join two. Locks and returns her.

    unionid: empty where WeCom gives none (yet).
    """
    pairs = [(kind, value) for kind, value in (("external_userid", external_userid), ("unionid", unionid)) if value]
    owners = service.owners(session, pairs)
    if owners:
        hers = min(one.id for one in service.lock(session, *sorted(set(owners.values()))))
        owners = service.owners(session, pairs)  # again: a merge may have moved them before we had the lock
    else:
        kept, _ = service.make_owner(session, *pairs[0], name, source="wecom")
        hers = service.lock(session, kept)[0].id
        owners = {pairs[0]: hers}
    for pair in pairs:
        if owners.get(pair) != hers:
            hers = _own(session, hers, *pair)
    return hers


def suggest(session: Session, customer_id: int, kind: str, value: str, *, source: str) -> None:
    """Keep a value that may be hers; `value` as `identity_value` makes it."""
    row = {"customer_id": customer_id, "kind": kind, "value": value, "source": source, "added_at": clock.now()}
    session.execute(insert(Hint).values(row).on_conflict_do_nothing())


def suggest_remarks(session: Session, customer_id: int, userid: str, mobiles: list[str]) -> None:
    """The phones in one member's remark on her, as they are now; what is no number is passed over."""
    source = f"remark:{userid}"
    hashes = {service.identity_value(session, "phone", e164) for e164 in map(_phone, mobiles) if e164}
    rows = session.scalars(select(Hint).where(Hint.customer_id == customer_id, Hint.source == source))
    known = {row.value: row for row in rows}
    for value in known.keys() - hashes:
        session.delete(known[value])
    for value in hashes - known.keys():
        suggest(session, customer_id, "phone", value, source=source)


def _own(session: Session, customer_id: int, kind: str, value: str) -> int:
    """Her identity told by WeCom itself; the other holder is the same WeChat account, so both are one."""
    holder = service.keep_identity(session, customer_id, kind, value, "wecom")
    if holder == customer_id:
        return customer_id
    if parted(session, customer_id, holder):
        suggest(session, customer_id, kind, value, source="conflict")
        return customer_id
    older, newer = sorted((customer_id, holder))
    merge(session, newer, older, why=f"{kind} of both")
    return older


def _apart(session: Session, kind: str, one_id: int, other_id: int) -> bool:
    if parted(session, one_id, other_id):
        return True
    unionids = select(Identity.customer_id).where(Identity.kind == "unionid")
    holders = set(session.scalars(unionids.where(Identity.customer_id.in_([one_id, other_id]))))
    return kind != "unionid" and len(holders) == 2


def _phone(text: str) -> str | None:
    try:
        return normalised(text)
    except ValueError:
        return None
