"""Tables of RFM."""

from collections.abc import Sequence
from typing import Annotated

from sqlalchemy import ARRAY, BigInteger, ForeignKey, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.core.db import At, Base, Big, Id

Big4 = Annotated[Sequence[int], mapped_column(ARRAY(BigInteger))]


class Score(Base):
    """A survivor's scores and class; 0 and an empty class once no order of hers counts any more.

    tagged: the class her computed tag says; what differs from `named` waits to be tagged.
    """

    __tablename__ = "rfm_scores"
    __table_args__ = (
        Index("ix_rfm_scores_cell", "r", "f", "m"),
        Index("ix_rfm_scores_named", "named"),
        Index("ix_rfm_scores_untagged", "customer_id", postgresql_where=text("tagged <> named")),
    )
    customer_id: Mapped[Big] = mapped_column(ForeignKey("customers.id"), primary_key=True)
    r: Mapped[int] = mapped_column(SmallInteger)
    f: Mapped[int] = mapped_column(SmallInteger)
    m: Mapped[int] = mapped_column(SmallInteger)
    named: Mapped[str]
    tagged: Mapped[str]
    at: Mapped[At]
    since: Mapped[At]  # when `named` became what it is


class Run(Base):
    """The edges of one night, four rising values each: r in microseconds since 1970, f in orders, m in fen."""

    __tablename__ = "rfm_runs"
    id: Mapped[Id]
    at: Mapped[At]
    buyers: Mapped[Big]
    r: Mapped[Big4]
    f: Mapped[Big4]
    m: Mapped[Big4]
