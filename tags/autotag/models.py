"""Tables of rules."""

from sqlalchemy import ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id, Json


class TagRule(Base):
    """A rule as the API takes it. version: of the last change.

    stopped: what is gone that it needs, so that the engine switched it off (`tag:3`), or empty.

    due_at: when a schedule comes next, None for other events and while it is off.
    """

    __tablename__ = "tag_rules"
    __table_args__ = (Index("ix_tag_rules_due_at", "due_at", postgresql_where=text("due_at IS NOT NULL")),)
    id: Mapped[Id]
    name: Mapped[str]
    when: Mapped[Json] = mapped_column("when_event")
    if_: Mapped[Json | None] = mapped_column("if_tree")
    then: Mapped[Json] = mapped_column("then_do")
    enabled: Mapped[bool]
    stopped: Mapped[str]
    version: Mapped[int]
    due_at: Mapped[At | None]
    created_at: Mapped[At]
    created_by: Mapped[str]
    deleted_at: Mapped[At | None]


class TagRuleVersion(Base):
    """One change of a rule: who, when, from what to what; `before` is None of the first, `after` of the last (G4)."""

    __tablename__ = "tag_rule_versions"
    __table_args__ = (UniqueConstraint("rule_id", "version"),)
    id: Mapped[Id]
    rule_id: Mapped[Big] = mapped_column(ForeignKey("tag_rules.id"))
    version: Mapped[int]
    at: Mapped[At]
    by: Mapped[str] = mapped_column("actor")
    before: Mapped[Json | None]
    after: Mapped[Json | None]


class TagRuleHit(Base):
    """A rule was done for her because of an event, once (G5). error: why nothing of it could be done, or empty."""

    __tablename__ = "tag_rule_hits"
    __table_args__ = (
        UniqueConstraint("rule_id", "event_id"),
        Index("ix_tag_rule_hits_rule_id_at", "rule_id", "at"),
        Index("ix_tag_rule_hits_customer_id", "customer_id", "id"),
        Index("ix_tag_rule_hits_failed", "id", postgresql_where=text("error <> ''")),
    )
    id: Mapped[Id]
    rule_id: Mapped[Big] = mapped_column(ForeignKey("tag_rules.id"))
    version: Mapped[int]
    event_id: Mapped[Big]
    event: Mapped[str]
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"))
    at: Mapped[At]
    error: Mapped[str]


class Silence(Base):
    """How far silences of `days` have been told: all that began until (reached_at, reached_id), in this order."""

    __tablename__ = "silences"
    days: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    reached_at: Mapped[At]
    reached_id: Mapped[Big]
