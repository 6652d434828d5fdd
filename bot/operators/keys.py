"""API keys: made once, shown once, kept as digests."""

import re
from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.errors import NotFound, Unacceptable
from bot.operators.audit import record_audit
from bot.operators.models import ApiKey
from bot.operators.secrets import digest, new_token

SCOPE = re.compile(r"all|[a-z][a-z-]*:(read|write)")
PREFIX = "fugou_"  # so that a key found in a log or a repository is known for what it is


def create_api_key(session: Session, name: str, scopes: Sequence[str]) -> str:
    """Make a key with `scopes` (`orders:write`, … or `all`) and return it; afterwards nobody can read it again.

    Raises Unacceptable for no scope or one of another form.
    """
    bad = [scope for scope in scopes if not SCOPE.fullmatch(scope)]
    if bad or not scopes:
        raise Unacceptable.at(
            "/scopes", f"scopes are {list(scopes)}, expected <resource>:read, <resource>:write or all"
        )
    token, kept = new_token(PREFIX)
    made = ApiKey(
        name=name, digest=kept, scopes=sorted(set(scopes)), created_at=clock.now(), created_by=session.info["actor"]
    )
    session.add(made)
    session.flush()
    record_audit(session, "api_key.created", f"api_key:{made.id}", None, {"name": name, "scopes": made.scopes})
    return token


def find_api_key(session: Session, token: str) -> ApiKey | None:
    """The key a bearer token is, None where it is unknown or revoked."""
    return session.scalar(select(ApiKey).where(ApiKey.digest == digest(token), ApiKey.revoked_at.is_(None)))


def api_keys(session: Session) -> Sequence[ApiKey]:
    """All keys ever made, oldest first."""
    return session.scalars(select(ApiKey).order_by(ApiKey.id)).all()


def revoke_api_keys(session: Session, name: str) -> int:
    """End the keys of that name at once; how many did work until now. Raises NotFound where there never was one."""
    named = [key for key in api_keys(session) if key.name == name]
    if not named:
        raise NotFound(f"there is no API key named {name}; fugou apikey list shows all")
    working = [key for key in named if key.revoked_at is None]
    for key in working:
        key.revoked_at, key.revoked_by = clock.now(), session.info["actor"]
        record_audit(session, "api_key.revoked", f"api_key:{key.id}")
    return len(working)
