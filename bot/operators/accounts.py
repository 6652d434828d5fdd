"""Accounts: adding an operator, her password, her one-time login."""

import re
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import Conflict, NotFound, Unacceptable
from bot.core.settings import PASSWORD_LENGTH
from bot.operators.audit import record_audit
from bot.operators.models import LoginLink, Operator, OperatorSession
from bot.operators.roles import ROLES
from bot.operators.secrets import digest, new_token

LINK_MINUTES = 15  # the contract's
SHORTEST, LONGEST = PASSWORD_LENGTH
NAME = re.compile(r"[^\s/@]{1,40}")
_hasher = PasswordHasher()  # Argon2id with the parameters of RFC 9106's second choice: 64 MiB, 3 passes, 4 lanes


def add_operator(session: Session, name: str, role: str, password: str | None = None) -> Operator:
    """Open an account; without a password it is opened by one-time logins. Names are compared in lower case.

    Raises Unacceptable for a bad name, role or password, Conflict where the name is taken.
    """
    if not NAME.fullmatch(name):
        raise Unacceptable.at("/name", f"name is {name!r}, expected 1 to 40 characters without spaces, / and @")
    if role not in ROLES:
        raise Unacceptable.at("/role", f"role is {role!r}, expected one of {', '.join(ROLES)}")
    if find_operator(session, name) is not None:
        raise Conflict(f"there is already an operator named {name}")
    made = Operator(
        name=name.casefold(), role=role, password_hash=hash_password(password) if password is not None else None,
        created_at=clock.now(), created_by=session.info["actor"],
    )  # fmt: skip
    session.add(made)
    session.flush()
    record_audit(session, "operator.added", f"operator:{made.id}", None, {"name": made.name, "role": role})
    return made


def find_operator(session: Session, name: str) -> Operator | None:
    """The account of that name, closed ones too."""
    return session.scalar(select(Operator).where(Operator.name == name.casefold()))


def set_password(session: Session, operator: Operator, password: str) -> None:
    """Give her a new password and end her sessions elsewhere. Raises Unacceptable for one that is too short or long."""
    operator.password_hash = hash_password(password)
    session.execute(delete(OperatorSession).where(OperatorSession.operator_id == operator.id))
    record_audit(session, "operator.password_changed", f"operator:{operator.id}")


def close_operator(session: Session, operator: Operator) -> None:
    """Close her account, which ends her sessions; what she did stays."""
    operator.closed_at, operator.closed_by = clock.now(), session.info["actor"]
    record_audit(session, "operator.closed", f"operator:{operator.id}")


def hash_password(password: str) -> str:
    """Argon2id. Raises Unacceptable for a password that is too short or too long."""
    if not SHORTEST <= len(password) <= LONGEST:
        expected = f"expected {SHORTEST} to {LONGEST}"
        raise Unacceptable.at("/password", f"the password has {len(password)} characters, {expected}")
    return _hasher.hash(password)


def check_password(session: Session, name: str, password: str) -> Operator | None:
    """The operator whose name and password these are, else None, after the same time whether the name exists or not."""
    operator = find_operator(session, name)
    known = operator is not None and operator.password_hash is not None and operator.closed_at is None
    kept = operator.password_hash if operator is not None and operator.password_hash and known else _nobodys()
    try:
        _hasher.verify(kept, password[:LONGEST])
    except VerificationError:
        return None
    if operator is None or not known:
        return None
    if _hasher.check_needs_rehash(kept):
        operator.password_hash = _hasher.hash(password)
    return operator


@cache
def _nobodys() -> str:
    """The hash of a password that nobody has; made when first needed, for it takes a tenth of a second."""
    return _hasher.hash("a password nobody has")


def one_time_login(session: Session, name: str) -> str:
    """A token for `/console/login/<token>`, good once within `LINK_MINUTES`. Raises NotFound for an unknown name."""
    operator = find_operator(session, name)
    if operator is None or operator.closed_at is not None:
        raise NotFound(f"there is no operator named {name}")
    token, kept = new_token()
    session.add(LoginLink(digest=kept, operator_id=operator.id, until=clock.now() + timedelta(minutes=LINK_MINUTES)))
    record_audit(session, "operator.login_offered", f"operator:{operator.id}")
    return token


def may_be_used(session: Session, token: str) -> bool:
    """Whether a one-time login would still let somebody in."""
    return session.scalar(select(LoginLink.digest).where(*_unused(token))) is not None


def use_login(session: Session, token: str) -> Operator | None:
    """The operator a one-time login is for, None where it is unknown, used or over; two at once open it once."""
    used = update(LoginLink).where(*_unused(token)).values(used_at=clock.now())
    operator_id = session.scalar(used.returning(LoginLink.operator_id))
    operator = session.get(Operator, operator_id) if operator_id is not None else None
    return operator if operator is not None and operator.closed_at is None else None


def _unused(token: str) -> tuple[ColumnElement[bool], ...]:
    return LoginLink.digest == digest(token), LoginLink.used_at.is_(None), LoginLink.until > clock.now()
