"""退订 and 恢复, and what she is told: what is in force now, since `listeners` keeps the word before it is answered."""

from sqlalchemy.orm import Session

from bot.core.i18n import say
from handlers.chat.asking import Asker, question
from tags.consents import service

OUT = """
    退订 / 退订营销 / 退订短信 / 退订消息 / 退订推送 / 取消订阅 / 取消推送 / 拒收 / 拒收推送 / 不要再发 / 别再发了 /
    别发了 / 不要发广告 / 停止推送 / td / unsubscribe / opt out / stop / stop messages / no more messages /
    stop sending
    """
BACK = """
    恢复 / 恢复订阅 / 恢复推送 / 恢复接收 / 重新订阅 / 订阅 / resume / subscribe / resubscribe / opt in / start again
    """


@question("unsubscribe", words=OUT)
def unsubscribe(session: Session, asker: Asker) -> str:
    return say(asker.locale, "已经为您退订，我们不再给您发优惠和活动消息。想恢复的话，回复「恢复」。")


@question("resume", words=BACK)
def resume(session: Session, asker: Asker) -> str:
    if service.in_force(session, asker.customer_id, "marketing") == "given":
        return say(asker.locale, "已经恢复，有优惠和活动我们会告诉您。不想收的话，回复「退订」。")
    return say(asker.locale, "想重新收到优惠和活动消息的话，请单独回复「恢复」两个字。")
