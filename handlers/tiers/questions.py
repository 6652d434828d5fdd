"""What she asks about her tier (W2): its name, what she has spent, what is missing for the next (P3)."""

from sqlalchemy.orm import Session

from bot.core.i18n import say
from bot.core.money import yuan
from handlers.chat.asking import Asker, question
from handlers.tiers import service


@question(
    "tier", label=lambda locale: say(locale, "会员等级"),
    words="""
    等级 / 会员 / 级别 / 会员等级 / 会员级别 / 会员卡 / 我的等级 / 我的会员 / 什么等级 / 几级 / 什么级别 / 怎么升级 /
    如何升级 / 下一级 / 升级 / vip / vip等级 / 会员权益 /
    tier / level / membership / my tier / my level / next tier / next level / membership level / membership tier /
    member level / my membership / vip level / vip status
    """,
)  # fmt: skip
def tier(session: Session, asker: Asker) -> str:
    """Her tier and the way to the next one."""
    lang, hers = asker.locale, service.tier(session, asker.customer_id)
    lines = [say(
        lang, "您的等级是「%(tier)s」，最近 12 个月消费 %(spent)s。", tier=hers.tier, spent=yuan(hers.spend_fen)
    )]  # fmt: skip
    if hers.following is None:
        lines.append(say(lang, "这已经是最高的等级。"))
    else:
        missing = yuan(hers.missing_fen)
        lines.append(say(lang, "再消费 %(missing)s 升到「%(tier)s」。", missing=missing, tier=hers.following))
    return "\n".join(lines)
