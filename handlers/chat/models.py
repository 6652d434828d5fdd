"""The table of conversations."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped

from bot.core.db import At, Base, Id, Json


class Conversation(Base):
    """One customer in one 微信客服 account, by her id there: it stays hers when customers are merged.

    misunderstood: questions in a row. turn: how often a person took over. handed_over_at: since when a person has it,
    None while the bot does; confirmed_at: since when WeCom knows it; human_at: when a person last did something.
    ending_at: when the bot asked WeCom to end the person's session; ended_at, end_code: when WeCom did, and its code
    for one message then. asked: what she wrote meanwhile, [text, menu_id] each.
    """

    __tablename__ = "conversations"
    __table_args__ = (UniqueConstraint("external_userid", "open_kfid"),)
    id: Mapped[Id]
    external_userid: Mapped[str]
    open_kfid: Mapped[str]
    misunderstood: Mapped[int]
    turn: Mapped[int]
    handed_over_at: Mapped[At | None]
    confirmed_at: Mapped[At | None]
    human_at: Mapped[At | None]
    ending_at: Mapped[At | None]
    ended_at: Mapped[At | None]
    end_code: Mapped[str | None]
    asked: Mapped[Json | None]
