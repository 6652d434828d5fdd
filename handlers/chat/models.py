"""The table of conversations."""

from sqlalchemy import Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped

from bot.core.db import At, Base, Id, Json


class Conversation(Base):
    """One customer in one 微信客服 account, by her id there: it stays hers when customers are merged.

    misunderstood: questions in a row. turn: how often a person took over. handed_over_at: since when a person has it,
    None while the bot does; confirmed_at: since when WeCom knows it; human_at: when a person last did something.
    ending_at: when the bot asked WeCom to end the person's session; asked: what she wrote meanwhile, `{text, menu_id}`.
    """

    __tablename__ = "conversations"
    __table_args__ = (
        UniqueConstraint("external_userid", "open_kfid"),
        Index("ix_conversations_human_at", "human_at", postgresql_where=text("handed_over_at IS NOT NULL")),
    )
    id: Mapped[Id]
    external_userid: Mapped[str]
    open_kfid: Mapped[str]
    misunderstood: Mapped[int]
    turn: Mapped[int]
    handed_over_at: Mapped[At | None]
    confirmed_at: Mapped[At | None]
    human_at: Mapped[At | None]
    ending_at: Mapped[At | None]
    asked: Mapped[Json | None]
