"""Two-step login: a seed per account, encrypted; recovery codes, each good once, kept as digests (S2).

A login that gave the right password or link stands half-open for `HALF_OPEN`, in a signed token of the browser, until
a password of her app or a recovery code follows.
"""

import secrets
from base64 import b32encode, urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import installation_of
from bot.core.preferences import preference
from bot.operators import totp
from bot.operators.audit import record_audit
from bot.operators.models import Operator, RecoveryCode
from bot.operators.secrets import digest

RECOVERY_CODES, RECOVERY_BYTES = 10, 10  # 80 bits each: nobody tries them all, even with the table in hand
ENROLLING, HALF_OPEN = timedelta(minutes=15), timedelta(minutes=5)

totp_required = preference(
    "totp_required", bool, default=False, home=__name__,
    help="whether operators must set up two-step login before they see anything else",
)  # fmt: skip


def offer(session: Session, operator: Operator) -> tuple[bytes, str]:
    """A new seed for her and a token that brings it back with the first password of her app."""
    seed = totp.new_seed()
    kept = urlsafe_b64encode(seed).decode()
    token = installation_of(session).vault.sign(f"totp:{operator.id}", kept, clock.now() + ENROLLING)
    return seed, token


def offered(session: Session, operator: Operator, token: str) -> bytes:
    """The seed of a token of `offer`. Raises ValueError for a token that is another's, forged or over."""
    return urlsafe_b64decode(installation_of(session).vault.read(f"totp:{operator.id}", token, clock.now()))


def enrol(session: Session, operator: Operator, seed: bytes, typed: str) -> list[str] | None:
    """Switch two-step login on with the app's first password; her recovery codes, None for a wrong password."""
    step = totp.matching_step(seed, _said(typed), clock.now(), after=0)
    if step is None:
        return None
    vault = installation_of(session).vault
    operator.totp_seed, operator.totp_step = vault.encrypt(urlsafe_b64encode(seed).decode()), step
    codes = [b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode() for _ in range(RECOVERY_CODES)]
    session.execute(delete(RecoveryCode).where(RecoveryCode.operator_id == operator.id))
    session.add_all(RecoveryCode(operator_id=operator.id, digest=digest(code)) for code in codes)
    record_audit(session, "operator.two_step_on", f"operator:{operator.id}")
    return codes


def passes(session: Session, operator: Operator, typed: str) -> str | None:
    """What she typed as a second step, `app` or `recovery code`, None where it is neither; each is good once."""
    session.refresh(operator, with_for_update=True)  # two browsers with one password: one of them gets in
    if operator.totp_seed is None:
        return None
    said = _said(typed)
    seed = urlsafe_b64decode(installation_of(session).vault.decrypt(operator.totp_seed))
    step = totp.matching_step(seed, said, clock.now(), after=operator.totp_step)
    if step is not None:
        operator.totp_step = step
        return "app"
    mine = (RecoveryCode.operator_id == operator.id) & (RecoveryCode.digest == digest(said))
    used = update(RecoveryCode).where(mine, RecoveryCode.used_at.is_(None)).values(used_at=clock.now())
    return "recovery code" if session.scalar(used.returning(RecoveryCode.id)) is not None else None


def switch_off(session: Session, operator: Operator) -> None:
    """Forget her seed and codes; where two-step login is required she sets it up again at her next request."""
    operator.totp_seed, operator.totp_step = None, 0
    session.execute(delete(RecoveryCode).where(RecoveryCode.operator_id == operator.id))
    record_audit(session, "operator.two_step_off", f"operator:{operator.id}")


def half_open(session: Session, operator: Operator, by: str) -> str:
    """A token for the browser that gave the right password or link. by: which of them it was."""
    return installation_of(session).vault.sign("second step", [operator.id, by], clock.now() + HALF_OPEN)


def half_opened(session: Session, token: str) -> tuple[Operator, str] | None:
    """Whose login a token of `half_open` is and by what, None where it is forged, over, or her account is closed."""
    try:
        operator_id, by = installation_of(session).vault.read("second step", token, clock.now())
    except ValueError:
        return None
    operator = session.get(Operator, operator_id)
    return (operator, str(by)) if operator is not None and operator.closed_at is None else None


def _said(typed: str) -> str:
    """As it was printed: without spaces and dashes, in capitals; what is not ASCII was never printed."""
    return "".join(typed.split()).replace("-", "").upper() if typed.isascii() else ""
