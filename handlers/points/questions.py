"""What she asks about her points (W2): the number first, then its worth, what ends next, what the next ¥ brings."""

from datetime import timedelta

from babel.dates import format_date
from sqlalchemy.orm import Session

from bot.core.i18n import say, say_count
from bot.core.installation import installation_of
from bot.core.money import yuan
from handlers.chat.asking import Asker, question
from handlers.points import statement
from handlers.points.rules import WHOLE_BP, Step, rate_bp
from handlers.points.statement import Ending, MonthStatement
from handlers.points.telling import percent

DAY = {"en": "d MMM y"}
CHINESE_DAY = "y 年 M 月 d 日"
SAMPLE_FEN = 10_000  # what the present rate brings is told for ¥100


@question(
    "points", label=lambda locale: say(locale, "我的积分"),
    words="""
    积分 / 余额 / 分数 / 我的积分 / 积分余额 / 积分查询 / 查积分 / 会员积分 / 剩余积分 / 可用积分 / 多少积分 /
    积分多少 / 积分明细 / 积分到期 / 积分过期 / 我有多少分 / 还有多少分 / 有多少分 / 积分有效期 / 积分抵扣 /
    points / point / balance / my points / my balance / points balance / point balance / how many points / points left /
    points worth / points expire / loyalty points / reward points / bonus points
    """,
)  # fmt: skip
def points(session: Session, asker: Asker) -> str:
    """Her balance and its worth in ¥ (G1), what is held, pending or owed, what ends next, her month (P1, P2)."""
    lang, hers = asker.locale, statement.statement(session, asker.customer_id)
    lines = [say_count(
        lang, "您有 %(points)s 积分，可抵 %(money)s。", "您有 %(points)s 积分，可抵 %(money)s。", hers.balance,
        points=f"{hers.balance:,}", money=yuan(hers.balance),
    )]  # fmt: skip
    if hers.held:
        lines.append(say(lang, "其中 %(points)s 积分已为您的订单预留。", points=f"{hers.held:,}"))
    if hers.pending:
        lines.append(say(lang, "另有 %(points)s 积分过退货期后可用。", points=f"{hers.pending:,}"))
    if hers.debt:
        lines.append(say(lang, "退款后欠 %(points)s 积分，会先从以后获得的积分里扣。", points=f"{hers.debt:,}"))
    if hers.endings:
        lines.append(_ends(session, hers.endings[0], lang))
    lines += _month(hers.month, statement.steps(session, asker.customer_id), lang)
    return "\n".join(lines)


def _ends(session: Session, ending: Ending, lang: str) -> str:
    """A lot's end is exclusive, 00:00 local (P1): its last day is the one before."""
    last = (ending.expires_at - timedelta(seconds=1)).astimezone(installation_of(session).settings.timezone).date()
    day = format_date(last, DAY.get(lang, CHINESE_DAY), locale=lang)
    return say(lang, "最早到期：%(points)s 积分，%(day)s到期。", points=f"{ending.points:,}", day=day)


def _month(month: MonthStatement, steps: tuple[Step, ...], lang: str) -> list[str]:
    """The rate of the month and what the next ¥ brings: points at this rate, and the way to the next one (P2)."""
    rate, following = rate_bp(month.net_spend_fen, steps), [one for one in steps if one.from_fen > month.net_spend_fen]
    spent = yuan(month.net_spend_fen)
    if rate:
        brings = f"{SAMPLE_FEN * rate // WHOLE_BP:,}"
        lines = [say(
            lang, "本月消费 %(spent)s，按 %(rate)s 积分，每消费 ¥100 得 %(brings)s 积分。", spent=spent,
            rate=percent(rate), brings=brings,
        )]  # fmt: skip
    else:
        lines = [say(lang, "本月消费 %(spent)s，还没有积分。", spent=spent)]
    if following:
        missing = yuan(following[0].from_fen - month.net_spend_fen)
        higher = percent(following[0].rate_bp)
        lines.append(say(
            lang, "再消费 %(missing)s，本月全部消费都按 %(rate)s 积分。", missing=missing, rate=higher
        ))  # fmt: skip
    return lines
