"""Every method of the client against the simulated WeCom: what it sends is taken, what it reads is there."""

from collections.abc import Iterator
from typing import Any

import pytest
import requests

from bot import simulator
from bot.core import clock
from bot.core import settings as fugou_settings
from bot.wecom import errors
from bot.wecom.client import WeCom
from bot.wecom.messages import KfEntered, KfMessage, parse_kf

PNG = b"\x89PNG\r\n\x1a\n" + bytes(40)
TEXT = {"content": "欢迎"}


class Sim:
    """A running simulator, and the clients of two processes of one installation."""

    def __init__(self, url: str, clients: list[WeCom]) -> None:
        self.url, self.clients = url, clients

    def __call__(self, method: str, path: str, /, **fields: object) -> dict[str, Any]:
        place = {"params": fields} if method in ("GET", "DELETE") else {"json": fields}
        answer = requests.request(method, f"{self.url}/sim/{path}", timeout=10, **place)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def asked(self, path: str) -> list[dict[str, Any]]:
        return self("GET", "calls", path=path)["data"]

    def befriend(self, external_userid: str, userid: str = "lily", **fields: object) -> str:
        made = self("POST", "contacts", userid=userid, external_userid=external_userid, **fields)
        return str(made["welcome_code"])

    def inbox(self, **who: str) -> list[dict[str, Any]]:
        return self("GET", "inbox", **who)["data"]


@pytest.fixture
def sim(redis, prefix) -> Iterator[Sim]:
    with simulator.start(corp_id="ww1", secret="app-secret") as running:
        settings = fugou_settings.load(
            wecom_api_base=f"{running.url}/cgi-bin", wecom_corp_id="ww1", wecom_app_secret="app-secret",
            wecom_agent_id=1000002, _env_file=None,
        )  # fmt: skip
        made = Sim(running.url, [WeCom(settings, redis, prefix) for _ in range(2)])
        made("POST", "apps", agentid=1000002)
        for userid, name in (("lily", "莉莉"), ("leo", "李奥")):
            made("POST", "staff", userid=userid, name=name)
        yield made
    clock.follow(None)


@pytest.fixture
def wecom(sim) -> WeCom:
    return sim.clients[0]


def refused(errcode: int) -> Any:
    return pytest.raises(errors.Refused, match=rf"\({errcode} ")


def test_members_and_their_customers_are_read(sim, wecom):  # C1
    sim.befriend("wmA", name="安娜", state="ch01")
    assert wecom.contact.get_follow_user_list() == ["lily", "leo"]
    assert wecom.contact.list("lily") == ["wmA"]
    with refused(84061):
        wecom.contact.list("leo")
    her = wecom.contact.get("wmA")
    assert her["external_contact"]["name"] == "安娜"
    assert [(one["userid"], one["state"]) for one in her["follow_user"]] == [("lily", "ch01")]
    (row,), cursor = wecom.contact.batch_get_by_user(["lily"])
    assert (row["external_contact"]["external_userid"], row["follow_info"]["userid"], cursor) == ("wmA", "lily", "")
    assert wecom.app.user_get("lily")["name"] == "莉莉"
    with refused(40096):
        wecom.contact.get("wmNobody")


def test_all_followers_of_a_customer_are_read_however_many(sim, wecom):
    for number in range(501):
        sim.befriend("wmA", f"member{number}")
    assert len(wecom.contact.get("wmA")["follow_user"]) == 501
    assert len(sim.asked("externalcontact/get")) == 2


def test_a_member_s_remark_of_her_is_changed(sim, wecom):
    sim.befriend("wmA")
    wecom.contact.remark("lily", "wmA", remark="安娜(杭州)", description="常客", remark_mobiles=["13800000000"])
    (relation,) = wecom.contact.get("wmA")["follow_user"]
    assert (relation["remark"], relation["remark_mobiles"]) == ("安娜(杭州)", ["13800000000"])
    wecom.contact.remark("lily", "wmA", description="老客")
    (relation,) = wecom.contact.get("wmA")["follow_user"]
    assert (relation["remark"], relation["description"]) == ("安娜(杭州)", "老客")


def test_corp_tags_are_made_changed_put_on_and_deleted(sim, wecom):  # T2
    sim.befriend("wmA")
    group = wecom.contact.add_corp_tag([{"name": "咖啡"}, {"name": "茶"}], group_name="爱好")["tag_group"]
    coffee, tea = (tag["id"] for tag in group["tag"])
    wecom.contact.edit_corp_tag(coffee, name="手冲")
    listed = wecom.contact.get_corp_tag_list()
    assert [(one["group_name"], [tag["name"] for tag in one["tag"]]) for one in listed] == [("爱好", ["手冲", "茶"])]
    other = wecom.contact.add_corp_tag([{"name": "北京"}], group_name="城市")["tag_group"]
    assert [one["group_name"] for one in wecom.contact.get_corp_tag_list(group_id=[other["group_id"]])] == ["城市"]
    assert [one["group_name"] for one in wecom.contact.get_corp_tag_list(tag_id=[tea])] == ["爱好"]
    wecom.contact.mark_tag("lily", "wmA", add_tag=[coffee, tea])
    wecom.contact.mark_tag("lily", "wmA", remove_tag=[tea])
    assert [tag["tag_id"] for tag in wecom.contact.get("wmA")["follow_user"][0]["tags"]] == [coffee]
    wecom.contact.add_corp_tag([{"name": "水"}], group_id=group["group_id"])
    wecom.contact.del_corp_tag(tag_id=[coffee])
    wecom.contact.del_corp_tag(group_id=[group["group_id"], other["group_id"]])
    assert wecom.contact.get_corp_tag_list() == []
    with refused(84061):
        wecom.contact.mark_tag("leo", "wmA", add_tag=[tea])


def test_live_codes_are_made_found_changed_and_deleted(sim, wecom):  # F1
    made = wecom.contact.add_contact_way(type=2, scene=2, user=["lily", "leo"], state="ch01", skip_verify=True)
    config_id = made["config_id"]
    assert made["qr_code"]
    assert list(wecom.contact.list_contact_ways()) == [config_id]
    way = wecom.contact.get_contact_way(config_id)
    assert (way["state"], way["user"], way["qr_code"]) == ("ch01", ["lily", "leo"], made["qr_code"])
    wecom.contact.update_contact_way(config_id, user=["leo"], state="ch02")
    assert sim("POST", "scan", qr_code=made["qr_code"], external_userid="wmA")["state"] == "ch02"
    wecom.contact.del_contact_way(config_id)
    with refused(41044):
        wecom.contact.get_contact_way(config_id)


def test_more_live_codes_than_a_page_are_all_found(sim, wecom):
    made = [wecom.contact.add_contact_way(type=1, scene=2, user=["lily"])["config_id"] for _ in range(101)]
    assert sorted(wecom.contact.list_contact_ways()) == sorted(made)


def test_a_welcome_is_sent_once_and_in_time(sim, wecom):  # W1
    link = {"msgtype": "link", "link": {"title": "店", "url": "https://x.test"}}
    code = sim.befriend("wmA")
    wecom.contact.send_welcome_msg(code, text=TEXT, attachments=[link])
    assert [(one["via"], one["from"]) for one in sim.inbox(external_userid="wmA")] == [("welcome", "lily")] * 2
    with refused(41051):
        wecom.contact.send_welcome_msg(code, text=TEXT)
    late = sim.befriend("wmB")
    sim("POST", "clock", advance_s=21)
    with refused(41050):
        wecom.contact.send_welcome_msg(late, text=TEXT)


def test_a_welcome_another_app_is_sending_may_be_tried_again(sim, wecom):  # W1
    code = sim.befriend("wmA")
    sim("POST", f"welcome-codes/{code}", sending_s=5, delivers=False)
    with pytest.raises(errors.Busy) as refusal:
        wecom.contact.send_welcome_msg(code, text=TEXT)
    assert (refusal.value.errcode, refusal.value.wait_s) == (41096, 1)
    sim("POST", "clock", advance_s=6)
    wecom.contact.send_welcome_msg(code, text=TEXT)


def test_a_mass_send_is_prepared_followed_and_cancelled(sim, wecom):
    sim.befriend("wmA")
    now = int(clock.now().timestamp())
    sent = wecom.contact.add_msg_template(chat_type="single", external_userid=["wmA", "wmNobody"], text=TEXT)
    assert sent["fail_list"] == ["wmNobody"]
    with pytest.raises(errors.Busy) as refusal:
        list(wecom.contact.get_groupmsg_task(sent["msgid"]))
    assert (refusal.value.errcode, refusal.value.wait_s) == (41063, 10)
    sim("POST", "clock", advance_s=10)
    sim("POST", "groupmsg", userid="lily", text="hers")
    listed = list(wecom.contact.get_groupmsg_list_v2("single", now - 60, now + 60, filter_type=0))
    assert [one["msgid"] for one in listed] == [sent["msgid"]]
    assert len(list(wecom.contact.get_groupmsg_list_v2("single", now - 60, now + 60))) == 2
    assert [one["userid"] for one in wecom.contact.get_groupmsg_task(sent["msgid"])] == ["lily"]
    wecom.contact.remind_groupmsg_send(sent["msgid"])
    sim("POST", f"groupmsg/{sent['msgid']}/confirm", userid="lily")
    (row,) = wecom.contact.get_groupmsg_send_result(sent["msgid"], "lily")
    assert (row["external_userid"], row["status"]) == ("wmA", 1)
    other = wecom.contact.add_msg_template(chat_type="single", sender="lily", text=TEXT)["msgid"]
    wecom.contact.cancel_groupmsg_send(other)
    assert [one["msgid"] for one in sim("GET", "groupmsg", userid="lily")["data"]].count(other) <= 1


def test_groups_and_their_join_codes(sim, wecom):  # T7
    chat_id = sim("POST", "group-chats", name="老友", owner="lily")["chat_id"]
    other = sim("POST", "group-chats", name="新友", owner="leo")["chat_id"]
    assert {one["chat_id"] for one in wecom.contact.groupchat_list()} == {chat_id, other}
    assert [one["chat_id"] for one in wecom.contact.groupchat_list(owners=["leo"])] == [other]
    config_id = wecom.contact.add_join_way(2, [chat_id], state="g01", remark="群码")["config_id"]
    way = wecom.contact.get_join_way(config_id)
    assert (way["chat_id_list"], way["state"]) == ([chat_id], "g01")
    sim("POST", "scan", qr_code=way["qr_code"], external_userid="wmA", name="安娜")
    group = wecom.contact.groupchat_get(chat_id)
    assert (group["name"], group["owner"]) == ("老友", "lily")
    assert "安娜" in [member.get("name") for member in group["member_list"]]
    wecom.contact.update_join_way(config_id, 2, [chat_id, other])
    assert wecom.contact.get_join_way(config_id)["chat_id_list"] == [chat_id, other]
    wecom.contact.del_join_way(config_id)
    with pytest.raises(errors.Refused):
        wecom.contact.get_join_way(config_id)


def test_media_go_up_and_come_down(sim, wecom):
    made = wecom.app.media_upload("image", "海报.png", PNG, "image/png")
    assert made["type"] == "image"
    file = wecom.app.media_get(made["media_id"])
    assert (file.content, file.content_type, file.name) == (PNG, "image/png", "海报.png")
    assert wecom.app.media_uploadimg("a.png", PNG, "image/png").startswith("http")
    with refused(40007):
        wecom.app.media_get("nothing")


def test_members_get_app_messages_and_log_in(sim, wecom):
    answer = wecom.app.message_send("lily|nobody", "text", text=TEXT)
    assert answer["invaliduser"] == "nobody"
    assert [one["via"] for one in sim.inbox(userid="lily")] == ["app"]
    assert wecom.app.getuserinfo(sim("POST", "oauth", userid="lily")["code"])["userid"] == "lily"
    sim.befriend("wmA")
    code = sim("POST", "oauth", external_userid="wmA")["code"]
    assert wecom.app.getuserinfo(code)["external_userid"] == "wmA"
    with refused(40029):
        wecom.app.getuserinfo(code)


def test_tickets_are_the_same_in_all_processes(sim):
    assert len({one.app.jsapi_ticket() for one in sim.clients}) == 1
    assert len({one.app.agent_ticket() for one in sim.clients}) == 1
    assert len(sim.asked("get_jsapi_ticket")) == len(sim.asked("ticket/get")) == len(sim.asked("gettoken")) == 1


@pytest.mark.parametrize("expire", [False, True])
def test_a_token_taken_back_early_is_replaced_once_for_all_processes(sim, expire):
    sim.befriend("wmA")
    for one in sim.clients:
        one.contact.get("wmA")
    sim("POST", "tokens/revoke", expire=expire)
    for one in sim.clients:
        one.contact.get("wmA")
    assert len(sim.asked("gettoken")) == 2


def test_a_disabled_app_and_an_address_that_is_not_allowed_are_settings(sim, wecom):
    wecom.contact.get_follow_user_list()
    sim("POST", "apps", trusted_ips=["10.0.0.1"])
    with pytest.raises(errors.TokenRejected, match=r"trusted IPs.*\(60020 ") as refusal:
        wecom.contact.get_follow_user_list()
    assert "企业可信 IP" in refusal.value.zh
    sim("POST", "apps", trusted_ips="all", disabled=True)
    with pytest.raises(errors.TokenRejected):
        wecom.contact.get_follow_user_list()


def test_what_is_cut_before_it_is_done_and_after_look_the_same(sim, wecom):  # G6
    for drop, done in (("before", False), ("after", True)):
        code = sim.befriend(f"wm{drop}")
        sim("POST", "faults", path="externalcontact/send_welcome_msg", drop=drop)
        with pytest.raises(errors.Unknown):
            wecom.contact.send_welcome_msg(code, text=TEXT)
        assert bool(sim.inbox(external_userid=f"wm{drop}")) is done


def test_too_many_at_once_is_busy_and_too_many_a_minute_blocks_the_endpoint(sim):
    first, second = sim.clients
    sim.befriend("wmA")
    sim("POST", "faults", path="externalcontact/get", errcode=45033)
    with pytest.raises(errors.Busy) as refusal:
        first.contact.get("wmA")
    assert refusal.value.wait_s == 1
    first.contact.get("wmA")
    sim("POST", "faults", path="externalcontact/get", errcode=45009)
    with pytest.raises(errors.Busy):
        first.contact.get("wmA")
    with pytest.raises(errors.Busy):
        second.contact.get("wmA")
    assert len(sim.asked("externalcontact/get")) == 3
    second.contact.list("lily")


KF = "wkShop"


@pytest.fixture
def account(sim) -> str:
    sim("POST", "kf/accounts", name="客服", open_kfid=KF)
    return KF


def test_kf_accounts_and_their_links(sim, wecom, account):
    assert [(one["open_kfid"], one["name"]) for one in wecom.kf.list_accounts()] == [(KF, "客服")]
    link = wecom.kf.add_contact_way(KF, "order")
    opened = sim("POST", "kf/sessions", external_userid="wmA", url=link, scene_param="a=1")
    assert opened["open_kfid"] == KF
    with pytest.raises(errors.Refused):
        wecom.kf.add_contact_way("wkNobody")


def test_more_kf_accounts_than_a_page_are_all_listed(sim, wecom):
    for number in range(100):
        sim("POST", "kf/accounts", open_kfid=f"wk{number:03d}")
    assert len(wecom.kf.list_accounts()) == 100
    assert [call["body"]["offset"] for call in sim.asked("kf/account/list")] == [0, 100]


def test_what_she_writes_is_pulled_and_answered(sim, wecom, account):  # W2
    sim("POST", "kf/sessions", open_kfid=KF, external_userid="wmA", scene="order")
    sim("POST", "kf/messages", open_kfid=KF, external_userid="wmA", text="积分")
    page = wecom.kf.sync_msg(KF, limit=1)
    entered, cursor = parse_kf(KF, page["msg_list"][0]), page["next_cursor"]
    assert isinstance(entered, KfEntered)
    assert (entered.scene, entered.external_userid, page["has_more"]) == ("order", "wmA", 1)
    said = parse_kf(KF, wecom.kf.sync_msg(KF, cursor=cursor)["msg_list"][0])
    assert isinstance(said, KfMessage)
    assert (said.text, said.external_userid, said.kind) == ("积分", "wmA", "text")
    assert wecom.kf.send_msg("wmA", KF, "text", msgid="ours1", text={"content": "120 分"})["msgid"] == "ours1"
    assert [one["text"]["content"] for one in sim.inbox(external_userid="wmA")] == ["120 分"]


def test_who_opens_the_chat_is_welcomed_by_a_menu(sim, wecom, account):  # W2
    code = sim("POST", "kf/sessions", open_kfid=KF, external_userid="wmA")["welcome_code"]
    menu = {"head_content": "您好", "list": [{"type": "click", "click": {"id": "points", "content": "查积分"}}]}
    wecom.kf.send_msg_on_event(code, "msgmenu", msgmenu=menu)
    assert [one["msgtype"] for one in sim.inbox(external_userid="wmA")] == ["msgmenu"]


def test_a_session_is_read_and_handed_to_a_member(sim, wecom, account):  # W2
    sim("POST", "kf/messages", open_kfid=KF, external_userid="wmA", text="人工")
    sim("POST", "kf/servicers", open_kfid=KF, userid="lily", receiving=True)
    assert wecom.kf.get_service_state(KF, "wmA")["service_state"] == 0
    wecom.kf.trans_service_state(KF, "wmA", 3, "lily")
    state = wecom.kf.get_service_state(KF, "wmA")
    assert (state["service_state"], state["servicer_userid"]) == (3, "lily")
    with refused(95018):
        wecom.kf.send_msg("wmA", KF, "text", text={"content": "x"})


def test_customers_of_an_account_are_described(sim, wecom, account):
    sim("POST", "kf/messages", open_kfid=KF, external_userid="wmA", text="x", name="安娜")
    (her,) = wecom.kf.batchget_customer(["wmA", "wmNobody"])
    assert (her["external_userid"], her["nickname"]) == ("wmA", "安娜")


def test_pulling_without_a_token_too_often_does_not_hold_up_pulls_with_one(sim, wecom, account):  # W2
    sim("POST", "faults", path="kf/sync_msg", errcode=45009)
    with pytest.raises(errors.Busy):
        wecom.kf.sync_msg(KF)
    with pytest.raises(errors.Busy):
        wecom.kf.sync_msg(KF)
    assert len(sim.asked("kf/sync_msg")) == 1
    with refused(95007):
        wecom.kf.sync_msg(KF, token="of another time")


def test_customers_are_handed_on_and_the_outcome_is_read(sim, wecom):  # C5
    for who in ("wmA", "wmB"):
        sim.befriend(who)
    begun = wecom.contact.transfer_customer("lily", "leo", ["wmA"], "我是李奥")
    assert begun["customer"] == [{"external_userid": "wmA", "errcode": 0}]
    assert [one["status"] for one in wecom.contact.transfer_result("lily", "leo")] == [2]
    sim("DELETE", "staff/lily")
    assert {one["external_userid"] for one in wecom.contact.get_unassigned_list()} == {"wmA", "wmB"}
    assert wecom.contact.transfer_customer("lily", "leo", ["wmB"], resigned=True)["customer"][0]["errcode"] == 0
    assert [one["status"] for one in wecom.contact.transfer_result("lily", "leo", resigned=True)] == [2]
