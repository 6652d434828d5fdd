"""Tying orders to her: by a phone a code was sent to, by an order, by staff; a reward once (C7).

What proves an order is hers, and how often it may be tried, is decided in docs/decisions/0010-binding.md.
"""

import hmac
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

from pydantic import Field
from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.events import announce
from bot.core.i18n import say
from bot.core.installation import installation_of
from bot.core.preferences import preference
from handlers.binding.errors import NoMatch, SomebodysOwn, TooOften, WrongCode
from handlers.binding.events import CustomerBound
from handlers.binding.models import Binding, SmsCode
from handlers.binding.throttle import throttle_of
from handlers.messaging import sms
from handlers.points import adjust
from tags.orders.models import Order
from tags.orders.place import find
from tags.people import service as people
from tags.people.identify import identify
from tags.people.merge import merge, parted
from tags.people.models import Contact, Identity

CODE_LIFE = timedelta(minutes=10)
LINK_LIFE = timedelta(days=30)
PURPOSE = "bind"

binding_reward_points = preference(
    "binding_reward_points", Annotated[int, Field(ge=0, le=100_000)], default=100, home=__name__,
    help="Points she gets once, for the first binding that ties an order to her; 0 gives none.",
)  # fmt: skip


@dataclass(frozen=True)
class Bound:
    """customer_id: who she is now. orders: how many became hers; points: the reward."""

    customer_id: int
    orders: int
    points: int


def link(session: Session, customer_id: int) -> str:
    """The address of her page, good for `LINK_LIFE`."""
    installation = installation_of(session)
    token = installation.vault.sign(PURPOSE, customer_id, clock.now() + LINK_LIFE)
    return f"{installation.settings.public_url}/h5/bind?t={token}"


def whose(session: Session, token: str) -> int:
    """Whom a link was made for, as she is now. Raises ValueError for one that is not ours, or over."""
    return people.survivor(session, int(installation_of(session).vault.read(PURPOSE, token, clock.now())))


def begin(session: Session, customer_id: int, e164: str, *, address: str) -> tuple[SmsCode, str]:
    """Make a code for a phone; the row and the text that is to be sent. Raises TooOften (429)."""
    installation = installation_of(session)
    value = people.identity_value(session, "phone", e164)
    tried: dict[str, str | int] = {
        "sms_phone_minute": value,
        "sms_phone": value,
        "sms_customer": customer_id,
        "sms_address": address,
    }
    if not throttle_of(installation).admit(**tried):
        raise TooOften
    code = f"{secrets.randbelow(1_000_000):06}"
    row = SmsCode(
        customer_id=customer_id, phone=installation.vault.encrypt(e164), phone_value=value, code_value="",
        made_at=clock.now(), state="sending", error="",
    )  # fmt: skip
    session.add(row)
    session.flush()
    row.code_value = _code_value(session, row.id, code)
    locale = people.customer(session, customer_id).language.replace("-", "_")
    minutes = CODE_LIFE // timedelta(minutes=1)
    text = say(locale, "您的验证码是 %(code)s，%(minutes)s 分钟内有效。不是您本人操作的话，请忽略。", code=code,
               minutes=minutes)  # fmt: skip
    return row, sms.text_of(session, text)


def settle(session: Session, code_id: int, state: str, error: str = "") -> None:
    """Note what became of a code's message: sent, refused or unknown."""
    row = session.get_one(SmsCode, code_id, with_for_update=True)
    row.state, row.error = state, error


def confirm(session: Session, customer_id: int, code_id: int, typed: str, *, address: str) -> Bound:
    """The phone is hers if the code is right; orders under it are hers then. Locks both.

    Raises TooOften (429), WrongCode (422), TwoPeople (409) where it is the phone of another WeChat account.
    """
    throttle = throttle_of(installation_of(session))
    if not throttle.admit(code=code_id, code_customer=customer_id, code_address=address):
        raise TooOften
    row = session.get(SmsCode, code_id, with_for_update=True)
    if row is None or row.used_at is not None or clock.now() >= row.made_at + CODE_LIFE:
        raise WrongCode
    if people.survivor(session, row.customer_id) != people.survivor(session, customer_id):
        raise WrongCode
    if not hmac.compare_digest(row.code_value, _code_value(session, row.id, typed.strip())):
        raise WrongCode
    row.used_at = clock.now()
    phone = installation_of(session).vault.decrypt(row.phone)
    holder = people.owner(session, "phone", row.phone_value)
    hers = people.survivor(session, customer_id)
    orders = orders_of(session, holder) if holder is not None and holder != hers else 0
    kept = identify(session, hers, "phone", phone, source="sms")
    return _bound(session, kept, "phone", row.phone_value, orders)


def by_order(
    session: Session, customer_id: int, order_id: str, paid_fen: int, phone_tail: str, *, address: str
) -> Bound:
    """An order is hers if she knows what was paid and, where its phone is known, the last four digits of that.

    Raises TooOften (429), NoMatch (422) whatever did not match.
    """
    tried: dict[str, str | int] = {"order_customer": customer_id, "order_address": address, "order": order_id}
    if not throttle_of(installation_of(session)).admit(**tried):
        raise TooOften
    order = find(session, order_id)
    if order is None or order.total_fen != paid_fen:
        raise NoMatch
    owner = people.customer(session, order.customer_id)
    if owner.phone_tail and not hmac.compare_digest(owner.phone_tail.encode(), phone_tail.strip().encode()):
        raise NoMatch
    try:
        return _tie(session, customer_id, order)
    except SomebodysOwn:
        raise NoMatch from None


def by_staff(session: Session, customer_id: int, order_id: str) -> Bound:
    """A member or the shop says that an order is hers. Raises NoMatch (422), SomebodysOwn (409)."""
    order = find(session, order_id)
    if order is None:
        raise NoMatch
    return _tie(session, customer_id, order)


def of(session: Session, customer_id: int) -> list[Binding]:
    """What was tied to her, oldest first. Raises NotFound."""
    hers = Binding.customer_id.in_(people.family(session, customer_id))
    return list(session.scalars(select(Binding).where(hers).order_by(Binding.id)))


def orders_of(session: Session, customer_id: int) -> int:
    """How many orders a survivor has."""
    hers = Order.customer_id.in_(people.family(session, customer_id))
    return session.scalar(select(func.count()).select_from(Order).where(hers)) or 0


def _tie(session: Session, customer_id: int, order: Order) -> Bound:
    hers, owner = people.survivor(session, customer_id), people.survivor(session, order.customer_id)
    if owner == hers:
        return Bound(hers, 0, 0)
    she, other = people.lock(session, hers, owner)
    if other.id == she.id:
        return Bound(she.id, 0, 0)  # a second tap, which waited for the first
    if _known(session, other.id) or parted(session, she.id, other.id):
        raise SomebodysOwn(order.order_id)
    orders = orders_of(session, other.id)
    older, newer = sorted((she.id, other.id))
    merge(session, newer, older, why=f"order {order.order_id}")
    return _bound(session, older, "order", order.order_id, orders)


def _known(session: Session, customer_id: int) -> bool:
    """Whether she is somebody in WeChat: a contact of anyone, once or now, or a WeChat account."""
    met = exists().where(Contact.customer_id == customer_id)
    account = exists().where(Identity.customer_id == customer_id, Identity.kind.in_(("unionid", "external_userid")))
    return bool(session.scalar(select(met | account)))


def _bound(session: Session, hers: int, how: str, value: str, orders: int) -> Bound:
    points = binding_reward_points.of(session) if orders and not _rewarded(session, hers, how, value) else 0
    row = Binding(
        customer_id=hers, how=how, value=value, orders=orders, points=points, at=clock.now(),
        actor=session.info["actor"],
    )  # fmt: skip
    session.add(row)
    session.flush()
    announce(session, CustomerBound(customer_id=hers, how=how, orders=orders, points=points))
    if points:
        adjust.adjust(session, hers, points, say("zh_CN", "绑定奖励"))
    return Bound(hers, orders, points)


def _rewarded(session: Session, hers: int, how: str, value: str) -> bool:
    """Whether she had the reward, or somebody had it for this phone or order."""
    theirs = Binding.customer_id.in_(people.family(session, hers)) | ((Binding.how == how) & (Binding.value == value))
    return session.scalar(select(Binding.id).where(Binding.points > 0, theirs).limit(1)) is not None


def _code_value(session: Session, code_id: int, code: str) -> str:
    return installation_of(session).vault.lookup(f"sms:{code_id}:{code}").hex()
