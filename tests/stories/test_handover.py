"""Changing hands between the bot and a person, seen from her side (W3)."""

from typing import Any

import pytest

from bot.core import preferences
from bot.wecom import errors
from tests.shop import Shop
from tests.stories.test_chat import KF, NOT_UNDERSTOOD, ask, hears

GOODBYE = "好的，正在为您转接人工客服，请稍候。"
HELLO = "我是小助手，我回来了。您可以直接问我，也可以点下面的选项："
WELCOME = "不客气，有需要随时找我。"  # the answer to 谢谢


def prefer(shop: Shop, name: str, value: Any) -> None:
    with shop.installation.transaction("test") as session:
        preferences.change(session, name, value)


def session_of(shop: Shop, who: str) -> dict[str, Any]:
    """Her session as WeCom has it."""
    return dict(shop.client.kf.get_service_state(KF, who))


def member(shop: Shop, who: str, change: str, userid: str = "lily") -> None:
    """What a member does with her session in his client."""
    shop.wecom.sim("POST", "kf/session-changes", open_kfid=KF, external_userid=who, change=change, userid=userid)
    shop.run_jobs()


def ask_and_wait(shop: Shop, text: str) -> list[str]:
    """What Anna is told two seconds after she wrote: the bot gathers what else she wrote before it speaks again."""
    before = len(hears(shop, "wmAnna"))
    assert ask(shop, "wmAnna", text) == []
    shop.pass_time(seconds=2)
    shop.run_jobs()
    return hears(shop, "wmAnna")[before:]


def names(shop: Shop, who: str) -> list[str]:
    """Her timeline's events of the chat."""
    her = shop.api.customer(who)["id"]
    events = shop.api.get(f"/customers/{her}/timeline", limit=200)["data"]
    return [one["event"] for one in events if one["event"].startswith("chat.")]


def test_a_person_takes_over_and_the_bot_says_goodbye_once_and_is_silent(shop: Shop) -> None:  # W3
    assert ask(shop, "wmAnna", "人工") == [GOODBYE]
    shop.wecom.repeat_last_callback(3)
    shop.run_jobs()
    assert session_of(shop, "wmAnna")["service_state"] == 2
    assert ask(shop, "wmAnna", "谢谢") == []
    assert ask(shop, "wmAnna", "帮助") == []
    member(shop, "wmAnna", "take")
    assert ask(shop, "wmAnna", "谢谢") == []
    assert ask(shop, "wmAnna", "今天天气不错") == []
    assert hears(shop, "wmAnna") == [GOODBYE]
    assert shop.wecom.calls("kf/send_msg") == []  # not even tried, and left to WeCom to refuse


def test_what_she_writes_before_wecom_has_moved_her_is_not_answered_either(shop: Shop) -> None:  # W3
    shop.wecom.sim("POST", "faults", path="kf/service_state/trans", errcode=-1)
    assert ask(shop, "wmAnna", "人工") == []
    assert ask(shop, "wmAnna", "谢谢") == []
    shop.pass_time(seconds=2)
    shop.run_jobs()
    assert (hears(shop, "wmAnna"), shop.wecom.calls("kf/send_msg")) == ([GOODBYE], [])


def test_the_end_of_the_persons_session_gives_her_back_with_one_hello(shop: Shop) -> None:  # W3
    ask(shop, "wmAnna", "人工")
    member(shop, "wmAnna", "take")
    member(shop, "wmAnna", "end")
    shop.wecom.repeat_last_callback(2)
    shop.run_jobs()
    assert hears(shop, "wmAnna") == [GOODBYE, HELLO]
    assert ask(shop, "wmAnna", "谢谢") == [WELCOME]
    assert names(shop, "wmAnna") == ["chat.handed_over", "chat.handed_back"]


def test_an_end_that_nobody_told_us_of_is_noticed_when_she_writes(shop: Shop) -> None:  # W3
    ask(shop, "wmAnna", "人工")
    shop.pass_time(seconds=2)
    shop.client.kf.trans_service_state(KF, "wmAnna", 4)  # by another program: WeCom tells nobody
    assert ask(shop, "wmAnna", "谢谢") == [WELCOME]


def test_a_person_who_is_silent_too_long_gives_way_to_the_bot_when_she_writes(shop: Shop) -> None:  # W3
    prefer(shop, "hand_over_minutes", 10)
    ask(shop, "wmAnna", "人工")
    shop.pass_time(minutes=9)
    assert ask(shop, "wmAnna", "谢谢") == []
    shop.pass_time(minutes=1)
    assert ask_and_wait(shop, "谢谢") == [WELCOME]
    assert ask(shop, "wmAnna", "谢谢") == [WELCOME]


def test_what_cannot_be_answered_after_the_persons_time_is_met_with_a_hello(shop: Shop) -> None:  # W3
    ask(shop, "wmAnna", "人工")
    shop.pass_time(minutes=31)
    assert ask_and_wait(shop, "今天天气不错") == [HELLO]


def test_two_questions_in_a_row_after_the_persons_time_are_both_answered(shop: Shop) -> None:  # W3
    ask(shop, "wmAnna", "人工")
    shop.pass_time(minutes=31)
    shop.wecom.say("wmAnna", "帮助", KF)
    assert ask_and_wait(shop, "谢谢") == [f"您可以直接问我，也可以点下面的选项：\n\n{WELCOME}"]


def test_a_person_who_writes_keeps_the_conversation(shop: Shop) -> None:  # W3
    ask(shop, "wmAnna", "人工")
    member(shop, "wmAnna", "take")
    shop.pass_time(minutes=29)
    shop.wecom.sim("POST", "kf/servicer-messages", open_kfid=KF, external_userid="wmAnna", userid="lily", text="在的")
    shop.run_jobs()
    shop.pass_time(minutes=2)
    assert ask(shop, "wmAnna", "谢谢") == []
    assert session_of(shop, "wmAnna")["service_state"] == 3


def test_a_member_who_takes_her_unasked_silences_the_bot(shop: Shop) -> None:  # W3
    ask(shop, "wmAnna", "谢谢")
    shop.client.kf.trans_service_state(KF, "wmAnna", 2)
    assert ask(shop, "wmAnna", "多谢") == []  # refused, and recorded: a person has the session
    assert names(shop, "wmAnna") == ["chat.handed_over"]
    her = shop.api.customer("wmAnna")["id"]
    events = shop.api.get(f"/customers/{her}/timeline", limit=200)["data"]
    assert [one["data"]["errcode"] for one in events if one["event"] == "message.refused"] == [95018]


def test_the_first_receiving_servicer_gets_her(shop: Shop) -> None:  # W3
    prefer(shop, "kf_servicers", ["nobody", "lily", "leo"])
    shop.wecom.sim("POST", "kf/servicers", open_kfid=KF, userid="lily", receiving=False)
    shop.wecom.sim("POST", "kf/servicers", open_kfid=KF, userid="leo")
    assert ask(shop, "wmAnna", "人工") == [GOODBYE]
    assert (session_of(shop, "wmAnna")["service_state"], session_of(shop, "wmAnna")["servicer_userid"]) == (3, "leo")


def test_where_nobody_can_take_her_the_bot_says_so_and_stays(shop: Shop) -> None:  # W3 G6
    shop.wecom.sim("POST", "faults", path="kf/service_state/trans", errcode=95016)
    sorry = "现在转不了人工客服，我先记下了。请稍后再回复「人工」试试，或者直接联系您的专属顾问。"
    assert ask(shop, "wmAnna", "人工") == [sorry]
    assert ask(shop, "wmAnna", "今天天气不错") == [NOT_UNDERSTOOD]
    assert ask(shop, "wmAnna", "人工") == [GOODBYE]


def test_a_hand_over_whose_answer_was_lost_is_made_once(shop: Shop) -> None:  # W3 G5
    shop.wecom.sim("POST", "faults", path="kf/service_state/trans", drop="after")
    ask(shop, "wmAnna", "人工")
    assert session_of(shop, "wmAnna")["service_state"] == 2
    assert ask(shop, "wmAnna", "谢谢") == []


def test_nobody_is_served_by_two(shop: Shop) -> None:  # W3
    ask(shop, "wmAnna", "人工")
    with pytest.raises(errors.Refused, match="95018"):
        shop.client.kf.send_msg("wmAnna", KF, "text", text={"content": "我还在"})
