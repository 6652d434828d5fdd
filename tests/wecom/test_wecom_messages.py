"""Callbacks and pulled messages as WeCom writes them (wecom.md §2, §4.3), and as it should not."""

import random
from datetime import UTC, datetime

import pytest

from bot.wecom import messages
from bot.wecom.messages import Unreadable, parse, parse_kf
from bot.wecom.xmltree import DEEPEST, read

AT = datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)  # 1700000000
HEAD = "<ToUserName><![CDATA[ww1]]></ToUserName><CreateTime>1700000000</CreateTime>"
SYS = HEAD + "<FromUserName><![CDATA[sys]]></FromUserName><MsgType><![CDATA[event]]></MsgType>"


def event(name: str, rest: str, head: str = SYS) -> bytes:
    return f"<xml>{head}<Event><![CDATA[{name}]]></Event>{rest}</xml>".encode()


def contact(change: str, rest: str = "") -> messages.Message:
    who = "<UserID><![CDATA[lily]]></UserID><ExternalUserID><![CDATA[wmA]]></ExternalUserID>"
    return parse(event("change_external_contact", f"<ChangeType><![CDATA[{change}]]></ChangeType>{who}{rest}"))


HERS = {"at": AT, "userid": "lily", "external_userid": "wmA"}


@pytest.mark.parametrize(("change", "rest", "expected"), [
    ("add_external_contact", "<State>ch01</State><WelcomeCode>C</WelcomeCode>",
     messages.ContactAdded(**HERS, state="ch01", welcome_code="C", half=False)),
    ("add_external_contact", "", messages.ContactAdded(**HERS, state="", welcome_code="", half=False)),
    ("add_half_external_contact", "<State/><WelcomeCode>C</WelcomeCode>",
     messages.ContactAdded(**HERS, state="", welcome_code="C", half=True)),
    ("edit_external_contact", "<State>x</State>", messages.ContactEdited(**HERS)),
    ("del_external_contact", "", messages.ContactDeleted(**HERS, transferred=False)),
    ("del_external_contact", "<Source>DELETE_BY_TRANSFER</Source>", messages.ContactDeleted(**HERS, transferred=True)),
    ("del_follow_user", "", messages.FollowUserDeleted(**HERS)),
    ("transfer_fail", "<FailReason>customer_refused</FailReason>",
     messages.TransferFailed(**HERS, reason="customer_refused")),
])  # fmt: skip
def test_what_happens_between_a_member_and_a_customer(change, rest, expected):  # C1 W1
    message = contact(change, rest)
    assert message == expected
    assert message.key == "wmA"


def test_customers_joining_a_group():  # T7
    change = "<ChangeType>update</ChangeType><UpdateDetail>add_member</UpdateDetail><JoinScene>3</JoinScene>"
    members = "<MemChangeCnt>2</MemChangeCnt><MemChangeList><Item>wmA</Item><Item>wmB</Item></MemChangeList>"
    versions = "<LastMemVer>9c</LastMemVer><CurMemVer>71</CurMemVer>"
    message = parse(event("change_external_chat", f"<ChatId>wr1</ChatId>{change}{members}{versions}"))
    assert message == messages.GroupChanged(
        at=AT, chat_id="wr1", change="update", detail="add_member", join_scene=3, quit_scene=None, member_count=2,
        members=("wmA", "wmB"), last_version="9c", version="71",
    )  # fmt: skip
    assert message.key == "wr1"


@pytest.mark.parametrize(("xml", "members"), [
    ("<Item>wmA</Item>", ("wmA",)), ("", ()), ("<Other/>", ()), ("<Item>a</Item>\n" * 3, ("a", "a", "a")),
    ("<Item>a</Item><Item><b/></Item><Item/>", ("a",)),
])  # fmt: skip
def test_a_member_list_of_one_or_none_is_a_list_too(xml, members):
    rest = f"<ChatId>wr1</ChatId><ChangeType>create</ChangeType><MemChangeList>{xml}</MemChangeList>"
    assert parse(event("change_external_chat", rest)).members == members


@pytest.mark.parametrize(("rest", "id_", "change", "is_group"), [
    ("<Id>et1</Id><TagType>tag</TagType><ChangeType>create</ChangeType>", "et1", "create", False),
    ("<Id>eg1</Id><TagType>tag_group</TagType><ChangeType>delete</ChangeType>", "eg1", "delete", True),
    ("<Id>eg1</Id><ChangeType>shuffle</ChangeType><StrategyId>1</StrategyId>", "eg1", "shuffle", True),
    ("<ChangeType>shuffle</ChangeType>", "", "shuffle", True),
])  # fmt: skip
def test_what_happens_to_a_corp_tag(rest, id_, change, is_group):  # T2
    message = parse(event("change_external_tag", rest))
    assert message == messages.TagChanged(at=AT, id=id_, change=change, is_group=is_group)
    assert message.key == id_


def test_news_of_a_kf_account_names_nobody():  # W2
    head = HEAD + "<MsgType>event</MsgType>"
    message = parse(event("kf_msg_or_event", "<Token>ENC</Token><OpenKfId>wk1</OpenKfId>", head))
    assert message == messages.KfActivity(at=AT, open_kfid="wk1", token="ENC")
    assert message.key == "wk1"


def test_what_a_member_writes_to_the_app():  # W2
    member = HEAD + "<FromUserName>lily</FromUserName>"
    xml = f"<xml>{member}<MsgType>text</MsgType><Content><![CDATA[积分 <b> &]]></Content><MsgId>12</MsgId></xml>"
    message = parse(xml.encode())
    assert (message.userid, message.msgid, message.kind, message.text) == ("lily", "12", "text", "积分 <b> &")
    image = parse(f"<xml>{member}<MsgType>image</MsgType><MediaId>M</MediaId></xml>".encode())
    assert (image.kind, image.text, image.fields["MediaId"]) == ("image", "", "M")


def test_what_a_member_does_in_the_app():
    member = HEAD + "<FromUserName>lily</FromUserName><MsgType>event</MsgType>"
    click = parse(event("CLICK", "<EventKey>points</EventKey>", member))
    assert isinstance(click, messages.AppEvent)
    assert (click.userid, click.event, click.event_key) == ("lily", "click", "points")
    pictures = "<SendPicsInfo><Count>2</Count><PicList><item/></PicList><PicList><item/></PicList></SendPicsInfo>"
    assert len(parse(event("pic_weixin", pictures, member)).fields["SendPicsInfo"]["PicList"]) == 2


@pytest.mark.parametrize(("xml", "key"), [
    (event("customer_acquisition", "<ChangeType>customer_start_chat</ChangeType><ExternalUserID>wmA</ExternalUserID>"),
     "wmA"),
    (event("change_external_contact", "<ChangeType>brand_new</ChangeType><ExternalUserID>wmA</ExternalUserID>"), "wmA"),
    (event("msgaudit_notify", ""), ""),
    (event("change_contact", "<ChangeType>update_user</ChangeType><UserID>lily</UserID>"), ""),
    (event("brand_new", "<ExternalUserID>a</ExternalUserID><ExternalUserID>b</ExternalUserID><ChatId>wr1</ChatId>"),
     "wr1"),
])  # fmt: skip
def test_what_nothing_here_is_made_for_is_kept_with_its_fields(xml, key):  # G6
    message = parse(xml)
    assert isinstance(message, messages.Unknown)
    assert (message.key, message.at, message.fields["ToUserName"]) == (key, AT, "ww1")


@pytest.mark.parametrize(("xml", "says"), [
    (b"", "well-formed"), (b"abc", "well-formed"), (b"<xml>abc</xml>", "no fields"), (b"<xml/>", "no fields"),
    (b"<xml><a></xml>", "well-formed"), (b"\xff\xfe<\0x\0/\0", "well-formed"),
    (b"<xml><a>\xff</a></xml>", "well-formed"),
    (b'<?xml version="1.0" encoding="latin1"?><xml><a>\xff</a></xml>', "well-formed"),
    (b"<xml><MsgType>text</MsgType></xml>", "CreateTime"), (event("view", "", "<MsgType/>"), "CreateTime"),
    (f"<xml>{HEAD}</xml>".encode(), "MsgType is missing"), (f"<xml>{SYS}</xml>".encode(), "Event is missing"),
    (event("change_external_contact", "<ChangeType>del_follow_user</ChangeType><UserID>a</UserID>"), "ExternalUserID"),
    (event("kf_msg_or_event", "<Token>T</Token>"), "OpenKfId"), (event("change_external_tag", ""), "ChangeType"),
    (event("change_external_chat", "<ChatId>a</ChatId><ChatId>b</ChatId>"), "ChatId is not one text"),
    *((f"<xml><CreateTime>{bad}</CreateTime></xml>".encode(), "unix") for bad in ("9" * 5000, -1, "1_7", "１", 2**35)),
])  # fmt: skip
def test_what_cannot_be_read_says_where(xml, says):  # G6
    with pytest.raises(Unreadable, match=says):
        parse(xml)


def test_entities_and_dtds_are_never_read():
    laughs = b'<!DOCTYPE xml [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><xml><CreateTime>&b;</CreateTime></xml>'
    with pytest.raises(Unreadable, match="DTD"):
        parse(laughs)
    with pytest.raises(Unreadable, match="well-formed"):
        parse(b"<xml><CreateTime>&outside;</CreateTime></xml>")


def test_xml_nests_only_so_deep():
    def nested(depth: int) -> bytes:
        return b"<a>" * depth + b"x" + b"</a>" * depth

    assert read(nested(DEEPEST))
    with pytest.raises(Unreadable, match="deep"):
        read(nested(DEEPEST + 1))


def test_random_and_mutated_callbacks_raise_nothing_but_unreadable():
    dice = random.Random(4)
    whole = event("change_external_chat", "<ChatId>wr1</ChatId><ChangeType>dismiss</ChangeType>")
    for _ in range(20_000):
        bad = bytearray(whole if dice.random() < 0.9 else dice.randbytes(60))
        for _ in range(dice.randint(1, 3)):
            place = dice.randrange(len(bad))
            bad[place : place + dice.randint(0, 4)] = dice.choice((b"", b"<", b"</xml>", b"&#x0;", dice.randbytes(2)))
        try:
            assert parse(bytes(bad)).at.tzinfo is UTC
        except Unreadable:
            continue


def said(**changes: object) -> dict[str, object]:
    """A row of sync_msg as the page shows it."""
    return {
        "msgid": "m1", "open_kfid": "wk1", "external_userid": "wmA", "send_time": 1700000000, "origin": 3,
        "msgtype": "text", "text": {"content": "积分", "menu_id": "points"}, **changes,
    }  # fmt: skip


def happened(kind: str, **event: object) -> dict[str, object]:
    inner = {"event_type": kind, "open_kfid": "wk1", "external_userid": "wmA", **event}
    return {"msgid": "m2", "send_time": 1700000000, "origin": 4, "msgtype": "event", "event": inner}


KF = {"at": AT, "open_kfid": "wk1", "external_userid": "wmA"}


def test_what_she_writes_to_a_kf_account():  # W2
    message = parse_kf("wk1", said())
    assert message == messages.KfMessage(
        **KF, msgid="m1", origin=3, servicer_userid="", kind="text", text="积分", menu_id="points",
        content={"content": "积分", "menu_id": "points"},
    )  # fmt: skip
    assert message.key == "wmA"
    assert parse_kf("wk1", said(msgtype="note", note={"content": "x"})).text == ""
    picture = parse_kf("wk1", said(msgtype="image", image={"media_id": "M"}, origin=5, servicer_userid="lily"))
    assert (picture.kind, picture.text, picture.content) == ("image", "", {"media_id": "M"})
    assert picture.servicer_userid == "lily"


@pytest.mark.parametrize(("row", "expected"), [
    (happened("enter_session", scene="s", scene_param="a=1", welcome_code="C"),
     messages.KfEntered(**KF, msgid="m2", scene="s", scene_param="a=1", welcome_code="C")),
    (happened("enter_session"), messages.KfEntered(**KF, msgid="m2", scene="", scene_param="", welcome_code="")),
    (happened("msg_send_fail", fail_msgid="m0", fail_type=6),
     messages.KfSendFailed(**KF, msgid="m2", fail_msgid="m0", fail_type=6)),
    (happened("session_status_change", change_type=3, old_servicer_userid="lily", msg_code="C"),
     messages.KfSessionChanged(**KF, msgid="m2", change_type=3, old_servicer_userid="lily", new_servicer_userid="",
                               msg_code="C")),
])  # fmt: skip
def test_what_happens_at_a_kf_account(row, expected):
    assert parse_kf("wk1", row) == expected


@pytest.mark.parametrize(("row", "key"), [
    (happened("user_recall_msg", recall_msgid="m0"), "wmA"),
    (happened("servicer_status_change", external_userid=None, status=1), "wk1"),
    (said(external_userid=None), "wk1"), (said(origin="x"), "wmA"), (said(origin=4), "wmA"), (said(msgtype=7), "wmA"),
    ({"msgid": "m"}, "wk1"), (happened("enter_session") | {"event": "x"}, "wk1"),
])  # fmt: skip
def test_a_row_that_is_new_or_odd_holds_nothing_up(row, key):  # G6
    message = parse_kf("wk1", row)
    assert isinstance(message, messages.KfOther)
    assert (message.key, message.fields) == (key, row)


@pytest.mark.parametrize("time", [None, "soon", -5, 1 << 40, [1]])
def test_a_row_without_a_time_is_old(time):
    assert parse_kf("wk1", said(send_time=time)).at == datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("row", [{}, {"msgid": ""}, {"msgid": 7}, [], None, "m1"])
def test_a_row_without_an_id_cannot_be_told_from_its_repetition(row):
    with pytest.raises(Unreadable, match="msgid"):
        parse_kf("wk1", row)
