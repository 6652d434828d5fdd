"""Tables of the operators. Secrets (session tokens, one-time logins, API keys) are kept as SHA-256 digests only."""

from sqlalchemy import ARRAY, ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.core.db import At, Base, Big, Id, Json


class Operator(Base):
    """An account. `name` is what she logs in with, in lower case; without a password only one-time logins open it.

    totp_seed: of her authenticator app, encrypted; None without two-step login. totp_step: the last one it was used in.
    """

    __tablename__ = "operators"
    id: Mapped[Id]
    name: Mapped[str] = mapped_column(unique=True)
    role: Mapped[str]
    password_hash: Mapped[str | None]
    language: Mapped[str | None]
    created_at: Mapped[At]
    created_by: Mapped[str]
    closed_at: Mapped[At | None]
    closed_by: Mapped[str | None]
    totp_seed: Mapped[bytes | None]
    totp_step: Mapped[Big] = mapped_column(default=0)


class RecoveryCode(Base):
    """A way in for who lost her phone, good once."""

    __tablename__ = "recovery_codes"
    id: Mapped[Id]
    operator_id: Mapped[Big] = mapped_column(ForeignKey(Operator.id), index=True)
    digest: Mapped[bytes]
    used_at: Mapped[At | None]


class OperatorSession(Base):
    """A browser in which somebody is logged in."""

    __tablename__ = "operator_sessions"
    id: Mapped[Id]
    digest: Mapped[bytes] = mapped_column(unique=True)
    operator_id: Mapped[Big] = mapped_column(ForeignKey(Operator.id), index=True)
    created_at: Mapped[At]
    seen_at: Mapped[At]
    operator: Mapped[Operator] = relationship(lazy="joined", innerjoin=True)


class LoginLink(Base):
    """A one-time login, `/console/login/<token>`."""

    __tablename__ = "login_links"
    id: Mapped[Id]
    digest: Mapped[bytes] = mapped_column(unique=True)
    operator_id: Mapped[Big] = mapped_column(ForeignKey(Operator.id), index=True)
    until: Mapped[At]
    used_at: Mapped[At | None]


class ApiKey(Base):
    """A bearer key of the REST API."""

    __tablename__ = "api_keys"
    id: Mapped[Id]
    name: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True)
    scopes: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[At]
    created_by: Mapped[str]
    revoked_at: Mapped[At | None]
    revoked_by: Mapped[str | None]


class AuditRow(Base):
    """What somebody did: append-only, which a trigger enforces."""

    __tablename__ = "audit"
    id: Mapped[Id]
    at: Mapped[At] = mapped_column(index=True)
    actor: Mapped[str]
    action: Mapped[str]
    target: Mapped[str] = mapped_column(index=True)
    before: Mapped[Json | None]
    after: Mapped[Json | None]


class AuditSeal(Base):
    """One link of the chain: the digest over the former digest and the rows up to `last_id` since the former seal."""

    __tablename__ = "audit_seals"
    last_id: Mapped[Big] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[At]
    digest: Mapped[bytes]
