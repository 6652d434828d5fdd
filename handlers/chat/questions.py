"""What the chat itself is asked: help, a human, thanks."""

from sqlalchemy.orm import Session

from bot.core.i18n import say
from handlers.chat import handover
from handlers.chat.asking import Asker, question


@question(
    "help", menu=True,
    words="""
    帮助 / 菜单 / 功能 / 怎么用 / 使用说明 / 你会什么 / 你能做什么 / 你能干什么 / 能查什么 / 可以查什么 / 有什么功能 /
    help / menu / help me / what can you do / what can i ask / commands
    """,
)  # fmt: skip
def help_(session: Session, asker: Asker) -> str:
    return say(asker.locale, "您可以直接问我，也可以点下面的选项：")


@question(
    "human", label=lambda locale: say(locale, "人工客服"),
    words="""
    人工 / 客服 / 真人 / 人工客服 / 人工服务 / 转人工 / 找人工 / 要人工 / 叫人工 / 接人工 / 给我人工 / 找客服 /
    真人客服 / 在线客服 / 人工在吗 / 有人吗 / 投诉 / 我要投诉 / 要投诉 /
    human / agent / operator / representative / real person / customer service / customer support / talk to human /
    talk to a human / speak to human / speak to a human / human agent / live agent / talk to someone /
    talk to a person / speak to someone / complaint
    """,
)  # fmt: skip
def human(session: Session, asker: Asker) -> str:
    """A person takes over; the word for it comes with the change of hands, not before (W3)."""
    handover.hand_over(session, asker.conversation, asker.customer_id, reason="asked")
    return ""


@question(
    "thanks",
    words="""
    谢谢 / 谢谢你 / 谢谢您 / 多谢 / 感谢 / 好的 / 好 / 嗯 / 嗯嗯 / 行 / 知道了 / 明白 / 明白了 / 收到 / 再见 / 拜拜 /
    ok / okay / thanks / thx / thank you / thank you very much / bye / goodbye / got it
    """,
)  # fmt: skip
def thanks(session: Session, asker: Asker) -> str:
    return say(asker.locale, "不客气，有需要随时找我。")
