"""What she means by what she writes (W2): phrasings, slips and false friends, a table each."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.app.features import load_features
from handlers.chat.asking import vocabulary
from handlers.chat.replies import understood
from handlers.chat.rules import Vocabulary, language_of, normalise

POINTS, TIER, HELP, HUMAN, THANKS = ("points",), ("tier",), ("help",), ("human",), ("thanks",)
GREETED: tuple[str, ...] = ()

PHRASINGS = {
    POINTS: """
        积分 / 余额 / 我的积分 / 查积分 / 查一下积分 / 积分！ / 「积分」 / 积分呢 / 积分还剩多少 /
        请问我的积分还有多少？ / 我有多少积分呀 / 我这个月买咖啡攒了多少积分 / 你好，我的积分怎么没到账 / 積分 /
        餘額 / 我的積分 / 查詢積分 / 積分還有多少 / points / Points / POINTS? / ｐｏｉｎｔｓ / ＭＹ　ＰＯＩＮＴＳ /
        my points / point balance pls / How many points do I have? / what's my balance / Check my points please /
        我的points / 我嘅積分有幾多 / 唔該睇下積分 / 仲有幾多積分
    """,
    TIER: """
        等级 / 会员 / 会员等级 / 我是什么等级 / 怎么升级 / VIP / 等級 / 會員等級 / 我的等級是什麼 / tier /
        my tier / What tier am I? / what level am i / membership
    """,
    HELP: """
        帮助 / 幫助 / 菜单 / help / HELP! / Ｈｅｌｐ / 你能做什么 / what can you do
    """,
    HUMAN: """
        人工 / 客服 / 转人工 / 轉人工 / 我要人工 / 找人工客服 / 人工客服在吗 / 机器人答不了，转人工 / 投诉 /
        human / talk to a human / I want to speak to a human / customer service please / 积分不对，给我转人工
    """,
    THANKS: """
        谢谢 / 好的 / 謝謝 / OK / thank you!
    """,
    GREETED: """
        你好 / 在吗 / hello / ？ / 👍
    """,
    ("points", "tier"): """
        积分和等级 / 我的积分 等级 / points and tier
    """,
}
SLIPS = {
    POINTS: """
        积份 / 积粉 / 鸡分 / 我的积份 / 積份還有多少 / 我地积分 / jifen / wode jifen / 我的jifen / ponits /
        pionts / poins / How many pionts do I have? / my balence /
        wdjf / WDJF
    """,
    TIER: """
        等及 / 会圆 / 會原等級 / dengji / memebrship / membershp
    """,
    HELP: """
        帮住 / bangzhu / hlep
    """,
    HUMAN: """
        人公 / 克服 / 人工客户 / rengong / humna
    """,
}
EVERYDAY = """
    今天天气不错 / 几分钟能到 / 这个多少钱 / 会员价的咖啡什么时候有货 / 会员日是哪天 / 面积分析 / 体积分数 /
    来几份 / 要几份 / 几分熟 / 等急了 / 等几天 / 我等等 / 克服困难 / 人工智能 / 人工费多少 / 纯人工的吗 / 余额宝 /
    帮助孩子学习 / 积极分子 / 鸡粉多少钱 / 有鸡粉吗 / 会议几点 / 你们几点开门 / 店在哪 / 什么时候发货 / 我要退货 /
    开发票 / 能便宜点吗 / 升级版有货吗 / 奶粉 / 优惠券 / 不要人工 / 别转人工 / 不用给我人工 / 我的快递到了吗 /
    咖啡豆 / 買咖啡 / helpful / help yourself / what's the point of this / human rights / tired /
    I am level headed / what time do you open / paints / prints / do you have pints / this disappoints me /
    balanced diet / where is my order / no human please / call me maybe / lever / hell
"""


def _split(texts: str) -> list[str]:
    return [" ".join(one.split()) for one in texts.split("/")]


def _each(table: dict[tuple[str, ...], str]) -> list[tuple[tuple[str, ...], str]]:
    return [(names, one) for names, texts in table.items() for one in _split(texts)]


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    load_features()
    return vocabulary()


@pytest.mark.parametrize(("expected", "text"), _each(PHRASINGS))
def test_a_phrasing_is_understood(words: Vocabulary, expected: tuple[str, ...], text: str) -> None:  # W2
    assert understood(text, "") == expected


@pytest.mark.parametrize(("expected", "text"), _each(SLIPS))
def test_a_typing_slip_is_understood(words: Vocabulary, expected: tuple[str, ...], text: str) -> None:  # W2
    assert understood(text, "") == expected


@pytest.mark.parametrize("text", _split(EVERYDAY))
def test_an_everyday_sentence_is_taken_for_no_question(words: Vocabulary, text: str) -> None:  # W2
    assert understood(text, "") is None


def test_a_tap_counts_before_the_words(words: Vocabulary) -> None:  # W2
    assert understood("今天天气不错", "points") == POINTS
    assert understood("等级", "of another program") == TIER


@pytest.mark.parametrize(("text", "before", "language"), [
    ("积分", "", "zh-CN"), ("我的積分", "", "zh-TW"), ("餘額還有多少", "zh-CN", "zh-TW"), ("积分", "zh-TW", "zh-CN"),
    ("人工", "zh-TW", "zh-TW"), ("人工", "en", "zh-CN"), ("points", "zh-CN", "en"), ("How many points?", "", "en"),
    ("jifen", "", "zh-CN"), ("jifen", "zh-TW", "zh-TW"), ("ok", "zh-TW", "zh-TW"), ("VIP", "", "zh-CN"),
    ("123", "en", "en"), ("👍", "", "zh-CN"), ("wdjf", "zh-TW", "zh-TW"),
])  # fmt: skip
def test_her_language_follows_her_message(words: Vocabulary, text: str, before: str, language: str) -> None:  # W2
    assert language_of(text, before, words) == language


TYPED = st.text(st.sampled_from("积分積份几我的ＡaＢb １1,。？ 乾麵余餘e'’İßﬁ\u0345"), max_size=30) | st.text(
    max_size=30
)


@given(TYPED)
def test_a_normal_form_is_its_own(text: str) -> None:  # W2
    assert normalise(normalise(text)) == normalise(text)


@given(TYPED, st.sampled_from([str.upper, lambda text: text.replace(" ", "　"), lambda text: f"「{text}」！"]))
def test_width_case_and_marks_change_no_normal_form(text: str, change: object) -> None:  # W2
    plain = normalise(text)
    assert normalise(change(plain)) == plain  # type: ignore[operator]


def test_a_long_message_is_read_to_its_end(words: Vocabulary) -> None:  # W2
    assert understood("我的" * 300 + "天气", "") is None
    assert understood("我的" * 300 + "积分", "") == POINTS
