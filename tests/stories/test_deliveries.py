"""What waits for her leaves when a window opens, in order, each once, or says why not (W7, C9, G5, G6)."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from PIL import Image
from racing import together
from shop import Shop
from sqlalchemy import select

from bot.core import checks
from bot.core.events import EventRow
from bot.wecom import outbox
from handlers.messaging import notices
from handlers.messaging import service as messaging
from handlers.messaging.content import Content
from handlers.messaging.models import Delivery
from tags.people import finding

KF = "wkshop"


@pytest.fixture(autouse=True)
def _nothing_differs(shop: Shop) -> Iterator[None]:
    """After each story every invariant of `fugou verify` holds."""
    yield
    with shop.installation.transaction("test") as session:
        assert [difference for check in checks.checks for difference in check.run(session)] == []


def added(shop: Shop, name: str = "Anna") -> str:
    """A friend who was welcomed in time, so that nothing waits for her."""
    anna = shop.wecom.add_contact(name)
    shop.run_jobs()
    return anna


def customer_id(shop: Shop, external_userid: str) -> int:
    return int(shop.api.customer(external_userid)["id"])


def deliver(shop: Shop, anna: str, *texts: str, **more: Any) -> None:
    for text in texts:
        with shop.installation.transaction("test") as session:
            content = Content(text=text, **more)
            messaging.deliver(session, customer_id(shop, anna), "transactional", content, dedupe=text, member="lily")


def says(shop: Shop, anna: str, text: str = "你好") -> None:
    shop.wecom.say(anna, text, KF)
    shop.run_jobs()


def kf_texts(shop: Shop, anna: str, among: tuple[str, ...]) -> list[str]:
    """Those of these texts that reached her in 微信客服, in order."""
    return [text for text in shop.wecom.texts_to(anna) if text in among]


def told(shop: Shop, name: str) -> list[dict[str, Any]]:
    with shop.installation.transaction("test") as session:
        return list(session.scalars(select(EventRow.data).where(EventRow.name == name).order_by(EventRow.id)))


def waiting(shop: Shop) -> list[tuple[str, str]]:
    """(dedupe, reason) of what waits."""
    with shop.installation.transaction("test") as session:
        open_ones = select(Delivery.dedupe, Delivery.reason).where(Delivery.done_at.is_(None)).order_by(Delivery.id)
        return [(dedupe, reason) for dedupe, reason in session.execute(open_ones)]


def test_what_waits_leaves_in_order_and_once_when_she_writes(shop: Shop) -> None:  # W7 G5
    anna = added(shop)
    texts = ("第一条", "第二条", "第三条")
    deliver(shop, anna, *texts)
    shop.run_jobs()
    assert kf_texts(shop, anna, texts) == []
    assert waiting(shop) == [(text, "no_open_window") for text in texts]
    says(shop, anna)
    assert kf_texts(shop, anna, texts) == list(texts)
    deliver(shop, anna, *texts)
    says(shop, anna)
    assert kf_texts(shop, anna, texts) == list(texts)
    assert waiting(shop) == []


def test_with_an_open_window_as_much_leaves_at_once_as_there_is_room_for(shop: Shop) -> None:  # W7
    anna = added(shop)
    says(shop, anna, "帮助")  # the answer is one of five
    texts = tuple(f"第{n}条" for n in range(4))
    deliver(shop, anna, *texts)
    shop.run_jobs()
    assert kf_texts(shop, anna, texts) == list(texts)
    assert told(shop, "message.waiting") == []


def notes(shop: Shop, userid: str = "lily") -> list[str]:
    """What a member was told in the app, once all there is to tell was gathered."""
    shop.run_jobs()
    shop.pass_time(seconds=20)
    shop.run_jobs()
    return [one["text"]["content"] for one in shop.wecom.inbox(userid=userid)]


def test_the_member_is_told_once_with_the_words(shop: Shop) -> None:  # W7 C9
    anna = added(shop)
    deliver(shop, anna, "您的积分到了,{name}")
    shop.run_jobs()
    deliver(shop, anna, "您的积分到了,{name}")
    (note,) = notes(shop)
    assert "「Anna」" in note
    assert note.endswith("您的积分到了,Anna")
    assert notes(shop) == [note]


def test_what_waits_for_one_who_was_merged_is_listed_under_her_survivor(shop: Shop) -> None:  # W7 C2 G6
    anna, bella = added(shop), added(shop, "Bella")
    deliver(shop, anna, "给 Anna")
    ids = [shop.api.customer(who)["id"] for who in (anna, bella)]
    shop.api.post(f"/customers/{ids[0]}/merge", {"into": {"customer_id": ids[1]}})
    with shop.installation.transaction("test") as session:
        listed, _ = finding.page(session, q="", wanted={"waiting": "lily"}, limit=200, cursor=None)
        assert [str(one.id) for one in listed] == [ids[1]]
        assert notices.waiting(session) == [("lily", 1)]


def test_what_waits_for_many_is_one_message_with_their_names_and_where_they_are_listed(shop: Shop) -> None:  # W7 G5
    hers = [added(shop, f"Anna {number:02}") for number in range(37)]
    for each in hers:
        deliver(shop, each, f"给 {each}")
    deliver(shop, hers[0], "再来一条")  # she is one customer, however much waits for her
    (note,) = notes(shop)
    assert note.startswith("有 37 位客户的消息暂时发不到")
    assert [f"Anna {number:02}" in note for number in range(37)] == [True] * 20 + [False] * 17
    assert "……还有 17 位" in note
    address = note.rpartition("名单：")[2]
    assert address == f"{shop.url}/console/customers?waiting=lily"
    with shop.installation.transaction("test") as session:
        listed, _ = finding.page(session, q="", wanted={"waiting": "lily"}, limit=200, cursor=None)
        others, _ = finding.page(session, q="", wanted={"waiting": "leo"}, limit=200, cursor=None)
        assert sorted(one.name for one in listed) == [f"Anna {number:02}" for number in range(37)]
        assert others == []
    deliver(shop, added(shop, "Bella"), "给 Bella")
    before, after = notes(shop)
    assert before == note
    assert "「Bella」" in after
    assert notes(shop) == [before, after]


def test_the_longest_names_fit_the_message(shop: Shop) -> None:  # W7
    hers = [added(shop, f"{number:02}{'很长的名字' * 10}") for number in range(21)]
    for each in hers:
        deliver(shop, each, f"给 {each}")
    (note,) = notes(shop)
    assert len(note.encode()) <= 2048
    assert "……还有 1 位" in note


def test_what_leaves_within_the_while_is_not_spoken_of(shop: Shop) -> None:  # W7
    anna = added(shop)
    deliver(shop, anna, "您的积分到了")
    shop.run_jobs()
    shop.pass_time(seconds=10)
    says(shop, anna)
    assert notes(shop) == []


def test_a_crash_while_members_are_told_tells_them_once_all_the_same(shop: Shop) -> None:  # W7 G5
    anna, bella = added(shop), added(shop, "Bella")
    deliver(shop, anna, "第一条")
    deliver(shop, bella, "第二条")
    shop.pass_time(seconds=20)
    with pytest.raises(RuntimeError), shop.installation.transaction("test") as session:
        notices.tell(session)
        raise RuntimeError("the process died before it could commit")
    together(*[lambda: _tell(shop)] * 4)
    assert len(notes(shop)) == 1


def _tell(shop: Shop) -> None:
    with shop.installation.transaction("test") as session:
        notices.tell(session)


def test_it_leaves_with_the_greeting_when_she_only_opens_the_chat(shop: Shop) -> None:  # W7
    anna = added(shop)
    deliver(shop, anna, "第一条", "第二条")
    shop.wecom.sim("POST", "kf/sessions", open_kfid=KF, external_userid=anna)
    shop.run_jobs()
    (greeting,) = [one["msgmenu"]["head_content"] for one in shop.wecom.inbox(anna) if one["msgtype"] == "msgmenu"]
    assert greeting.startswith("第一条\n\n第二条\n\n")
    assert waiting(shop) == []
    says(shop, anna)
    assert kf_texts(shop, anna, ("第一条", "第二条")) == []


def test_no_more_than_five_leave_for_one_message_of_hers_and_an_answer_finds_room(shop: Shop) -> None:  # W7 W2
    anna = added(shop)
    texts = tuple(f"第{n}条" for n in range(7))
    deliver(shop, anna, *texts)
    before = len(shop.wecom.inbox(anna))
    says(shop, anna, "帮助")
    assert kf_texts(shop, anna, texts) == list(texts[:4])  # the fifth is the answer
    assert len(shop.wecom.inbox(anna)) == before + 5
    says(shop, anna, "帮助")
    assert kf_texts(shop, anna, texts) == list(texts)
    codes = {call["answer"]["errcode"] for call in shop.wecom.calls("kf/send_msg")}
    assert codes == {0}


def test_after_48_hours_the_window_is_closed_again(shop: Shop) -> None:  # W7
    anna = added(shop)
    says(shop, anna)
    shop.pass_time(hours=48)
    deliver(shop, anna, "太晚了")
    shop.run_jobs()
    assert kf_texts(shop, anna, ("太晚了",)) == []
    assert waiting(shop) == [("太晚了", "no_open_window")]


def test_what_waited_for_seven_days_has_expired_and_says_so(shop: Shop) -> None:  # W7 G6
    anna = added(shop)
    deliver(shop, anna, "旧消息")
    shop.pass_time(days=7, seconds=1)
    shop.run_jobs()
    assert waiting(shop) == []
    assert [one["reason"] for one in told(shop, "message.expired")] == ["no_open_window"]
    says(shop, anna)
    assert kf_texts(shop, anna, ("旧消息",)) == []


def test_a_window_that_wecom_calls_closed_turns_the_message_back_to_waiting(shop: Shop) -> None:  # W7 G6
    anna = added(shop)
    says(shop, anna)
    shop.wecom.sim("POST", "faults", path="kf/send_msg", errcode=95001)
    deliver(shop, anna, "第一条", "第二条")
    shop.run_jobs()
    assert [dedupe for dedupe, _ in waiting(shop)] == ["第一条", "第二条"]
    assert "95001" in waiting(shop)[0][1]
    says(shop, anna)
    assert kf_texts(shop, anna, ("第一条", "第二条")) == ["第一条", "第二条"]


def test_a_message_that_failed_after_it_was_taken_waits_again_or_is_refused_by_the_reason(shop: Shop) -> None:  # W7 C9
    anna = added(shop)
    says(shop, anna)
    shop.wecom.sim("POST", "kf/failures", open_kfid=KF, external_userid=anna, fail_type=5)
    deliver(shop, anna, "会话结束了")
    shop.run_jobs()
    assert [dedupe for dedupe, _ in waiting(shop)] == ["会话结束了"]
    says(shop, anna)
    assert kf_texts(shop, anna, ("会话结束了",)) == ["会话结束了"]
    shop.wecom.sim("POST", "kf/failures", open_kfid=KF, external_userid=anna, fail_type=10)
    deliver(shop, anna, "她拒收")
    shop.run_jobs()
    assert waiting(shop) == []
    assert [one["reason"] for one in told(shop, "message.refused")] == ["fail_type 10"]


def test_an_answer_of_wecom_that_was_lost_makes_no_second_message(shop: Shop) -> None:  # W7 G5
    anna = added(shop)
    says(shop, anna)
    shop.wecom.sim("POST", "faults", path="kf/send_msg", drop="after")
    deliver(shop, anna, "只有一次")
    for _ in range(4):
        shop.run_jobs()
        outbox.settle_lost(shop.installation, shop.client)
        shop.pass_time(seconds=2)
    assert kf_texts(shop, anna, ("只有一次",)) == ["只有一次"]
    assert waiting(shop) == []


def test_what_was_taken_back_does_not_leave(shop: Shop) -> None:  # W7
    anna = added(shop)
    deliver(shop, anna, "算了")
    with shop.installation.transaction("test") as session:
        assert messaging.withdraw(session, "算了", "she joined")
    says(shop, anna)
    assert kf_texts(shop, anna, ("算了",)) == []
    with shop.installation.transaction("test") as session:
        assert not messaging.withdraw(session, "算了", "again")


def test_text_pictures_and_links_become_messages_of_the_chat(shop: Shop) -> None:  # W7 W4
    made = io.BytesIO()
    Image.new("RGB", (4, 4)).save(made, "PNG")
    form = {"files": {"file": ("a.png", made.getvalue())}, "data": {"name": "图"}}
    material = shop.api.call("POST", "/materials", None, **form).json()["id"]
    anna = added(shop)
    attachments = [
        {"type": "image", "material_id": material},
        {"type": "link", "title": "商城", "desc": "看看", "url": "https://shop.example/"},
    ]
    deliver(shop, anna, "给您", attachments=attachments)
    before = len(shop.wecom.inbox(anna))
    says(shop, anna, "帮助")
    arrived = [one for one in shop.wecom.inbox(anna)[before:] if one["msgtype"] != "msgmenu"]
    assert [one["msgtype"] for one in arrived] == ["text", "image"]
    assert arrived[0]["text"]["content"] == "给您\n\n商城\n看看\nhttps://shop.example/"


def test_a_text_of_4000_bytes_is_sent_in_two_messages_without_loss(shop: Shop) -> None:  # W7
    anna = added(shop)
    long = "汉" * 1333
    deliver(shop, anna, long)
    says(shop, anna)
    arrived = [text for text in shop.wecom.texts_to(anna) if set(text) == {"汉"}]
    assert "".join(arrived) == long
    assert len(arrived) == 2


def test_what_waits_for_one_who_was_merged_reaches_the_survivor(shop: Shop) -> None:  # W7 C2
    anna, bella = added(shop, "Anna"), added(shop, "Bella")
    deliver(shop, bella, "给 Bella")
    shop.api.post(f"/customers/{customer_id(shop, bella)}/merge", {"into": {"external_userid": anna}})
    says(shop, anna)
    assert kf_texts(shop, anna, ("给 Bella",)) == ["给 Bella"]
