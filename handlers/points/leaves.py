"""What conditions ask of points (T4)."""

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, aliased

from bot.core.i18n import say
from handlers.points.models import Account, LotRow
from tags.conditions.numbers import Compare
from tags.conditions.tree import Asked, Leaf, leaf


@leaf
class BalanceLeaf(Leaf, key="balance"):
    """Her points, held ones included, without those of lots that have ended; 0 where she never earned any."""

    balance: Compare

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        account, lot = aliased(Account), aliased(LotRow)
        points = func.coalesce(func.sum(lot.remaining), 0)
        hers = account.owner_id == asked.who, lot.customer_id == account.customer_id, lot.expires_at > asked.now
        return select(self.balance.of(points)).where(*hers).correlate(asked.who.table).scalar_subquery()

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        return say(lang, "积分 %(points)s", points=self.balance.words())
