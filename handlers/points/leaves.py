"""What conditions ask of points (T4)."""

from datetime import datetime

from flask_babel import lazy_gettext as _l
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, aliased

from bot.core.i18n import say
from handlers.points.models import Account, LotRow
from tags.conditions.controls import LOYALTY, Comparison, Sentence, Shown
from tags.conditions.numbers import Compare
from tags.conditions.tree import Asked, Leaf, leaf
from tags.people.finding import totalled


@leaf
class BalanceLeaf(Leaf, key="balance"):
    """Her points, held ones included, without those of lots that have ended; 0 where she never earned any."""

    balance: Compare
    shown = Shown(
        _l("积分余额"), LOYALTY, Sentence(_l("{balance} 分"), Comparison("balance", _l("积分"))),
        start={"balance": {"gte": 500}},
    )  # fmt: skip

    def holds(self, asked: Asked) -> ColumnElement[bool]:
        """As every leaf's."""
        account, lot = aliased(Account), aliased(LotRow)
        points = func.coalesce(func.sum(lot.remaining), 0)
        hers = account.owner_id == asked.who, lot.customer_id == account.customer_id, lot.expires_at > asked.now
        return select(self.balance.of(points)).where(*hers).correlate(asked.who.table).scalar_subquery()

    def found(self, asked: Asked) -> Select[int]:
        """As every leaf's."""
        account, lot = aliased(Account), aliased(LotRow)
        open_ones = select(account.owner_id, func.sum(lot.remaining)).where(
            lot.remaining > 0, lot.expires_at > asked.now
        )
        hers = open_ones.join(lot, lot.customer_id == account.customer_id).group_by(account.owner_id)
        return totalled(hers, self.balance)

    def aged(self, asked: Asked, since: datetime) -> Select[int]:
        """As every leaf's: an account whose lot has ended is due, until the sweep that changes it."""
        account = aliased(Account)
        return select(account.owner_id).where(account.due_at <= asked.now)

    def words(self, session: Session, lang: str) -> str:
        """As every leaf's."""
        return say(lang, "积分 %(points)s", points=self.balance.words())
