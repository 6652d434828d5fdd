"""What she writes in 微信客服, from the encrypted callback to what she reads there (W2)."""

import threading
from calendar import monthrange
from typing import Any

from sqlalchemy import select

from bot.core import clock
from bot.core.events import EventRow
from bot.wecom import inbox, kf
from bot.wecom.inbox import InboxRow
from bot.wecom.kf import KfDue
from tests.shop import Shop

KF = "wkshop"
NOT_UNDERSTOOD = "抱歉，这句我没看懂。您可以点下面的选项，或者回复「人工」找客服："
GREETING = "您好，我是小助手。您可以直接问我，也可以点下面的选项："


def hears(shop: Shop, who: str) -> list[str]:
    """What she was told in the chat, oldest first: texts, and the words above menus."""
    chat = shop.wecom.sim("GET", "kf/messages", external_userid=who, open_kfid=KF)["data"]
    said = [one for one in chat if one["from"] == "kf"]
    return [one["text"]["content"] if "text" in one else one["msgmenu"]["head_content"] for one in said]


def menu(shop: Shop, who: str) -> dict[str, str]:
    """The last menu she saw: question -> words."""
    chat = shop.wecom.sim("GET", "kf/messages", external_userid=who, open_kfid=KF)["data"]
    items = [one for one in chat if "msgmenu" in one][-1]["msgmenu"]["list"]
    return {item["click"]["id"]: item["click"]["content"] for item in items}


def ask(shop: Shop, who: str, text: str, **more: Any) -> list[str]:
    """What she is told after she wrote."""
    before = len(hears(shop, who))
    shop.wecom.say(who, text, KF, **more)
    shop.run_jobs()
    return hears(shop, who)[before:]


def opens(shop: Shop, **how: Any) -> Any:
    """She opens the chat."""
    opened = shop.wecom.sim("POST", "kf/sessions", **how)
    shop.run_jobs()
    return opened


def deaf(shop: Shop, is_deaf: bool = True) -> None:
    """WeCom's callbacks get lost on the way, or find us again."""
    url = "http://127.0.0.1:9" if is_deaf else shop.url
    shop.wecom.sim("POST", "callbacks", url=f"{url}/wecom/callback", token="callbackToken", aes_key=AES_KEY)


AES_KEY = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR"


def heard(shop: Shop) -> list[str]:
    """The texts that were kept as heard."""
    with shop.installation.transaction("test") as session:
        rows = session.scalars(select(EventRow).where(EventRow.name == "message.received").order_by(EventRow.id))
        return [row.data["text"] for row in rows]


def failed(shop: Shop) -> list[str | None]:
    """Why rows of the inbox were parked or had to be tried again."""
    with shop.installation.transaction("test") as session:
        return list(
            session.scalars(select(InboxRow.error).where((InboxRow.attempts > 0) | InboxRow.parked_at.is_not(None)))
        )


def test_help_is_a_menu_and_a_tap_on_it_is_understood(shop: Shop) -> None:  # W2
    anna = shop.wecom.add_contact("Anna")
    assert ask(shop, anna, "帮助") == ["您可以直接问我，也可以点下面的选项："]
    assert menu(shop, anna)["human"] == "人工客服"
    assert ask(shop, anna, "随便什么字", menu_id="human") == ["好的，正在为您转接人工客服，请稍候。"]


def test_opening_the_chat_greets_once(shop: Shop) -> None:  # W2
    anna = shop.wecom.add_contact("Anna")
    opens(shop, open_kfid=KF, external_userid=anna)
    opens(shop, open_kfid=KF, external_userid=anna)
    shop.wecom.repeat_last_callback(2)
    shop.run_jobs()
    assert hears(shop, anna) == [GREETING]


def test_what_is_not_understood_is_never_met_with_silence(shop: Shop) -> None:  # W2
    anna = shop.wecom.add_contact("Anna")
    assert ask(shop, anna, "今天天气不错") == [NOT_UNDERSTOOD]
    picture = {"msgtype": "image", "image": {"media_id": "M"}}
    shop.wecom.sim("POST", "kf/messages", open_kfid=KF, external_userid=anna, message=picture)
    shop.run_jobs()
    assert hears(shop, anna)[1:] == ["好的，正在为您转接人工客服，请稍候。"]


def test_a_question_understood_between_two_others_keeps_the_bot(shop: Shop) -> None:  # W2
    anna = shop.wecom.add_contact("Anna")
    ask(shop, anna, "今天天气不错")
    assert ask(shop, anna, "谢谢") == ["不客气，有需要随时找我。"]
    assert ask(shop, anna, "明天天气呢") == [NOT_UNDERSTOOD]


def test_a_message_delivered_twice_is_answered_once(shop: Shop) -> None:  # W2 G5
    anna = shop.wecom.add_contact("Anna")
    ask(shop, anna, "谢谢")
    shop.wecom.repeat_last_callback()
    shop.run_jobs()
    assert len(hears(shop, anna)) == 1


def test_who_is_nobodys_contact_becomes_a_customer_whom_the_chat_brought(shop: Shop) -> None:  # W2 C1
    shop.wecom.say("wmBella", "谢谢", KF, name="Bella")
    shop.run_jobs()
    bella = shop.api.customer("wmBella")
    assert (bella["name"], bella["contacts"], bella["source"]["first"]["channel"]) == ("Bella", [], "kf")


def test_a_link_made_for_her_tells_who_opens_it_under_an_unknown_id(shop: Shop) -> None:  # W2 C2
    anna = shop.wecom.add_contact("Anna")
    shop.wecom.sim("POST", "kf/accounts", name="客服", open_kfid=KF)
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        link = kf.link(session, int(shop.api.customer(anna)["id"]))
    opens(shop, url=link, external_userid="wmOther", name="Anna")
    assert shop.api.customer("wmOther")["id"] == shop.api.customer(anna)["id"]


def test_a_link_that_was_passed_on_hands_over_nothing(shop: Shop) -> None:  # W2 C2
    anna = shop.wecom.add_contact("Anna")
    shop.wecom.sim("POST", "kf/accounts", name="客服", open_kfid=KF)
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        link = kf.link(session, int(shop.api.customer(anna)["id"]))
    opens(shop, url=link, external_userid="wmDan", name="Dan")
    assert shop.api.customer("wmDan")["id"] != shop.api.customer(anna)["id"]


def test_what_lay_in_the_account_before_we_met_it_is_kept_and_not_answered(shop: Shop) -> None:  # W2
    deaf(shop)
    shop.wecom.say("wmAnna", "谢谢", KF)
    shop.pass_time(minutes=11)
    shop.wecom.settled()
    deaf(shop, False)
    shop.wecom.say("wmAnna", "多谢", KF)
    shop.run_jobs()
    assert (heard(shop), hears(shop, "wmAnna")) == (["谢谢", "多谢"], ["不客气，有需要随时找我。"])


def test_a_lost_callback_is_made_up_for_within_a_minute(shop: Shop) -> None:  # W2 G6
    ask(shop, "wmAnna", "谢谢")
    deaf(shop)
    shop.wecom.say("wmAnna", "多谢", KF)
    shop.wecom.settled()
    shop.pass_time(seconds=61)
    shop.run_jobs()
    assert len(hears(shop, "wmAnna")) == 2


def test_every_row_of_every_page_is_kept_also_behind_an_empty_one(shop: Shop) -> None:  # W2 G6
    deaf(shop)
    for text in ("谢谢", "多谢", "感谢"):
        shop.wecom.say("wmAnna", text, KF)
    shop.wecom.sim("POST", "kf/settings", open_kfid=KF, page=1, empty_pages=2)
    shop.wecom.settled()
    deaf(shop, False)
    shop.wecom.say("wmAnna", "好的", KF)
    shop.run_jobs()
    assert heard(shop) == ["谢谢", "多谢", "感谢", "好的"]


def test_two_who_pull_one_account_keep_each_message_once(shop: Shop) -> None:  # W2 G5
    deaf(shop)
    shop.wecom.sim("POST", "kf/settings", open_kfid=KF, page=2)
    for n in range(10):
        shop.wecom.say("wmAnna", f"第{n}句", KF)
    pullers = [
        threading.Thread(target=kf.pull, args=(shop.installation, shop.client, KfDue(KF))) for _ in range(4)
    ]  # fmt: skip
    for one in pullers:
        one.start()
    for one in pullers:
        one.join()
    kf.pull(shop.installation, shop.client, KfDue(KF))
    with shop.installation.transaction("test") as session:
        kept = session.scalars(select(InboxRow.body).where(InboxRow.source == "kf_message").order_by(InboxRow.id))
        assert [body.split("第")[1][0] for body in kept] == list("0123456789")


def test_a_row_that_cannot_be_read_is_kept_and_holds_nothing_up(shop: Shop) -> None:  # W2 G6
    good = {"msgid": "m1", "external_userid": "wmAnna", "origin": 3, "msgtype": "text", "text": {"content": "谢谢"}}
    with shop.installation.transaction("test") as session:
        inbox.keep_kf(session, KF, [{"msgtype": "text"}, {**good, "send_time": int(clock.now().timestamp())}])
    shop.run_jobs()
    assert heard(shop) == ["谢谢"]
    assert failed(shop) == ["a 微信客服 message has no msgid"]


def test_a_corp_without_kf_is_asked_and_nothing_fails(shop: Shop) -> None:  # G6
    shop.wecom.sim("POST", "apps", rights=["contact"])
    shop.run_jobs()
    shop.pass_time(seconds=61)
    shop.run_jobs()
    assert failed(shop) == []
    with shop.installation.transaction("test") as session:
        assert kf.link(session) is None


def test_an_account_made_later_is_linked_to_within_a_minute(shop: Shop) -> None:  # W2
    shop.run_jobs()
    shop.wecom.sim("POST", "kf/accounts", name="客服", open_kfid=KF)
    shop.pass_time(seconds=61)
    shop.run_jobs()
    with shop.installation.transaction("test") as session:
        assert "/kf/" in str(kf.link(session))


def test_a_callback_whose_token_has_run_out_pulls_all_the_same(shop: Shop) -> None:  # W2 G6
    ask(shop, "wmAnna", "谢谢")
    shop.wecom.say("wmAnna", "多谢", KF)
    shop.wecom.settled()
    shop.pass_time(minutes=11)
    shop.run_jobs()
    assert len(hears(shop, "wmAnna")) == 2
    assert failed(shop) == []


def test_a_member_who_writes_to_the_app_is_told_where_the_answers_are(shop: Shop) -> None:  # W2
    shop.wecom.sim("POST", "app-messages", userid="lily", text="积分")
    shop.run_jobs()
    shop.wecom.repeat_last_callback()
    shop.run_jobs()
    told = [one["text"]["content"] for one in shop.wecom.inbox(userid="lily")]
    assert told == ["您好，客户的积分、等级和标签请在后台的客户页查看；客户自己可以在微信客服里问「我的积分」。"]


def test_my_points_are_answered_with_numbers_and_what_the_next_purchase_brings(shop: Shop) -> None:  # W2 P1 P2
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    shop.api.order(anna, "A1", 41_200)  # from ¥300: 1.5 % of ¥412.00 = 618
    today = clock.now().astimezone(shop.installation.settings.timezone)
    last = monthrange(today.year + 1, today.month)[1]  # P1: to the end of the month 12 months later
    assert ask(shop, anna, "我的积分") == [
        "您有 618 积分，可抵 ¥6.18。\n最早到期：618 积分，"
        f"{today.year + 1} 年 {today.month} 月 {last} 日到期。\n"
        "本月消费 ¥412.00，按 1.5% 积分，每消费 ¥100 得 150 积分。\n再消费 ¥88.00，本月全部消费都按 2% 积分。"
    ]


def test_who_has_none_is_told_how_to_begin(shop: Shop) -> None:  # W2 P2
    assert ask(shop, "wmAnna", "积份还有多少") == [
        "您有 0 积分，可抵 ¥0.00。\n本月消费 ¥0.00，还没有积分。\n再消费 ¥100.00，本月全部消费都按 1% 积分。"
    ]


def test_my_tier_is_answered_with_what_is_missing(shop: Shop) -> None:  # W2 P3
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    shop.api.order(anna, "A1", 41_200)
    assert ask(shop, anna, "会员等级") == [
        "您的等级是「普通」，最近 12 个月消费 ¥412.00。\n再消费 ¥588.00 升到「银卡」。"
    ]


def test_two_questions_in_one_message_are_both_answered(shop: Shop) -> None:  # W2
    told = ask(shop, "wmAnna", "积分和等级")
    assert [told[0].count(words) for words in ("您有 0 积分", "您的等级是「普通」")] == [1, 1]


def test_the_answer_speaks_the_language_of_the_question(shop: Shop) -> None:  # W2
    assert ask(shop, "wmAnna", "How many points do I have?")[0].startswith("You have 0 points, worth ¥0.00.")
    assert ask(shop, "wmAnna", "我的積分還有多少")[0].startswith("您有 0 積分，可抵 ¥0.00。")
    assert ask(shop, "wmAnna", "今天天氣不錯") == ["抱歉，這句我沒看懂。您可以點下面的選項，或者回覆「人工」找客服："]
    assert menu(shop, "wmAnna") == {
        "points": "我的積分", "tier": "會員等級", "bind": "綁定訂單", "human": "人工客服",
    }  # fmt: skip
    assert ask(shop, "wmAnna", "我的积分")[0].startswith("您有 0 积分，可抵 ¥0.00。")
