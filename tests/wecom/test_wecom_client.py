"""The client against a WeCom that times out, cuts, and answers oddly; and against the simulator."""

import contextlib
import logging
import socket
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from misbehaving import OK, TOKEN, cuts, is_silent, misbehaving, raw, says
from prometheus_client import REGISTRY

from bot.core import settings as fugou_settings
from bot.core.settings import BadSettings
from bot.wecom import errors, transport
from bot.wecom.client import WeCom
from bot.wecom.transport import CONNECT_S, READ_S, Transport

SECRET = "app-secret-nobody-may-see"
GET, SEND = "externalcontact/get", "externalcontact/send_welcome_msg"
HER = {**OK, "external_contact": {"name": "安娜"}, "follow_user": [{"userid": "lily"}]}


def wecom_at(base: str, **more: object) -> WeCom:
    settings = fugou_settings.load(
        wecom_api_base=base, wecom_corp_id="ww1", wecom_app_secret=SECRET, wecom_agent_id=7, _env_file=None, **more
    )
    return WeCom(settings, None, "test:")


@pytest.fixture
def server():
    with misbehaving() as started:
        yield started


@pytest.fixture
def wecom(server):
    return wecom_at(server.url)


def used_token(line: str) -> str:
    return line.split("access_token=")[1].split(" ")[0].split("&")[0]


def count(endpoint: str, errcode: str) -> float:
    return REGISTRY.get_sample_value("fugou_wecom_answers_total", {"endpoint": endpoint, "errcode": errcode}) or 0.0


def test_a_call_carries_the_token_and_unescaped_json(server, wecom):
    server.will(SEND, says(OK))
    wecom.contact.send_welcome_msg("C", text={"content": "欢迎"})
    ((line, body),) = server.asked(SEND)
    assert line.startswith(f"POST /cgi-bin/{SEND}?access_token=T1 ")
    assert body == '{"welcome_code": "C", "text": {"content": "欢迎"}}'.encode()


@pytest.mark.parametrize(("step", "says_"), [
    (cuts, "cut"), (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{"), "cut"), (raw(b"SSH-2.0\r\n\r\n"), "cut"),
    (says(b"<html>", "502 Bad Gateway"), "502"), (says(b"<html>"), "200"), (says(b""), "200"), (says([1]), "200"),
    (says({}), "200"), (says({"errcode": "x"}), "200"), (says({"errcode": None}), "200"), (says(OK, "500 Oops"), "500"),
    (says(b"", "302 Found", "Location: http://127.0.0.1:9/\r\n"), "302"),
    (raw(b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n{}"), "cut"),
    (raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"), "cut"),
    (raw(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"), "cut"),
])  # fmt: skip
def test_what_left_and_was_not_answered_by_wecom_is_unknown(server, wecom, step, says_):  # G6
    server.will(SEND, step)
    with pytest.raises(errors.Unknown, match=says_) as failure:
        wecom.contact.send_welcome_msg("C", text={"content": "x"})
    assert (failure.value.may_be_done, failure.value.permanent, failure.value.errcode) == (True, False, None)
    assert len(server.asked(SEND)) == 1


def test_silence_ends_after_the_time_the_caller_gives_and_is_unknown(server, wecom):
    server.will(GET, is_silent)
    with pytest.raises(errors.Unknown, match=r"no answer within 0\.2 s"):
        wecom.contact.get("wmA", timeout_s=0.2)
    assert (CONNECT_S, READ_S) == (3.0, 5.0)


def test_what_cannot_connect_was_not_sent():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    cases = {f"http://127.0.0.1:{port}": "refused", "http://no.such.host.invalid": "host", "http://.bad": "host"}
    for base, says_ in cases.items():
        with pytest.raises(errors.NotSent, match=says_) as failure:
            Transport(base).send("GET", GET, {"access_token": "T1"})
        assert (failure.value.may_be_done, failure.value.permanent) == (False, False)
        assert failure.value.__context__ is failure.value.__cause__ is None


@pytest.mark.parametrize(
    "base", ["http://[bad", "http://a:b", "http://a:99999", "http://", "http:///cgi-bin", "http://a:0"]
)
def test_an_address_that_is_none_stops_the_start(base):
    with pytest.raises(BadSettings, match="FUGOU_WECOM_API_BASE"):
        wecom_at(base)


def test_a_listener_that_takes_no_connection_was_not_sent_to():
    with socket.create_server(("127.0.0.1", 0), backlog=0) as full, contextlib.ExitStack() as waiting:
        port = full.getsockname()[1]
        for _ in range(4):  # the queue of connections nobody accepts is full after these
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", port))
        with pytest.raises(errors.NotSent, match=r"no connection within 0\.2 s"):
            Transport(f"http://127.0.0.1:{port}").send("GET", GET, {}, timeout=(0.2, 0.2))


@pytest.fixture
def tls_url(tmp_path):
    """An HTTPS server whose certificate nobody vouches for."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1)).sign(key, SHA256())
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) + made.public_bytes(Encoding.PEM)
    (tmp_path / "pem").write_bytes(pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def shake_hands() -> None:
            with contextlib.suppress(OSError), listener.accept()[0] as plain:
                context.wrap_socket(plain, server_side=True)

        threading.Thread(target=shake_hands, daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"


def test_a_certificate_that_is_not_trusted_is_met_before_anything_leaves(tls_url):
    with pytest.raises(errors.NotSent, match="certificate"):
        Transport(tls_url).send("GET", GET, {"access_token": "T1"})


@pytest.mark.parametrize(("errcode", "kind", "wait_s"), [
    (-1, errors.Busy, 1), (6000, errors.Busy, 1), (45033, errors.Busy, 1), (41096, errors.Busy, 1),
    (41063, errors.Busy, 10), (45009, errors.Busy, 60), (40001, errors.TokenRejected, 60),
    (60020, errors.TokenRejected, 60), (84061, errors.Refused, 0), (41050, errors.Refused, 0),
    (99999, errors.Refused, 0),
])  # fmt: skip
def test_errcodes_become_types_that_say_whether_to_try_again(server, wecom, errcode, kind, wait_s):
    server.will(SEND, says({"errcode": errcode, "errmsg": f"no, hint: [1], from ip: 1.2.3.4, e={errcode}"}))
    with pytest.raises(errors.WeComError) as failure:
        wecom.contact.send_welcome_msg("C", text={"content": "x"})
    error, said = failure.value, "no, from ip: 1.2.3.4" if errcode == 60020 else "no"
    assert (type(error), error.errcode, error.errmsg, error.endpoint) == (kind, errcode, said, SEND)
    assert error.wait_s == pytest.approx(wait_s)
    assert (error.permanent, error.may_be_done) == (kind is errors.Refused, False)
    assert len(server.asked(SEND)) == 1


def test_a_refusal_is_a_refusal_whatever_the_http_status(server, wecom):
    server.will(SEND, says({"errcode": "40058", "errmsg": "x"}, "404 Not Found"))
    with pytest.raises(errors.Refused):
        wecom.contact.send_welcome_msg("C", text={"content": "x"})


@pytest.mark.parametrize("errcode", [40014, 42001])
def test_a_stale_token_is_replaced_once_and_the_call_made_again(server, wecom, errcode):
    server.will("gettoken", says(TOKEN), says({**TOKEN, "access_token": "T2"}))
    server.will(GET, says({"errcode": errcode, "errmsg": "x"}), says(HER))
    assert wecom.contact.get("wmA") == {"external_contact": {"name": "安娜"}, "follow_user": [{"userid": "lily"}]}
    assert [used_token(line) for line, _ in server.asked(GET)] == ["T1", "T2"]


def test_a_token_that_is_refused_again_and_again_ends_after_one_refresh(server, wecom):
    server.will(GET, says({"errcode": 40014, "errmsg": "x"}))
    with pytest.raises(errors.TokenRejected) as failure:
        wecom.contact.get("wmA")
    assert (failure.value.errcode, failure.value.permanent, failure.value.wait_s) == (40014, False, 60)
    assert (len(server.asked(GET)), len(server.asked("gettoken"))) == (2, 2)


def test_a_wrong_secret_is_not_mended_by_a_fresh_token(server, wecom):
    server.will(GET, says({"errcode": 40001, "errmsg": "x"}))
    with pytest.raises(errors.TokenRejected):
        wecom.contact.get("wmA")
    assert (len(server.asked(GET)), len(server.asked("gettoken"))) == (1, 1)


@pytest.mark.parametrize("answer", [OK, {**OK, "access_token": ""}, {**OK, "access_token": 7}])
def test_an_answer_without_a_token_is_none_of_wecoms(server, wecom, answer):
    server.will("gettoken", says(answer))
    with pytest.raises(errors.Unknown, match="access_token"):
        wecom.contact.get("wmA")


def test_a_token_of_no_stated_life_is_taken_for_one_of_two_hours(server, wecom, monkeypatch):
    server.will("gettoken", says({**OK, "access_token": "T1", "expires_in": "soon"}))
    server.will(GET, says(HER))
    for second in (0.0, 7139.0):
        monkeypatch.setattr("bot.wecom.tokens.monotonic", lambda now=second: now)
        wecom.contact.get("wmA")
    assert len(server.asked("gettoken")) == 1


def test_connections_are_kept_by_each_thread(server, wecom):
    server.will(GET, says(HER))

    at_once = threading.Barrier(3)

    def work() -> None:
        for _ in range(5):
            at_once.wait(5)
            wecom.contact.get("wmA")

    for _ in range(5):
        wecom.contact.get("wmA")
    assert server.connections == 1
    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (server.connections, len(server.asked(GET))) == (4, 20)


def test_more_calls_than_slots_wait_for_their_turn(server, monkeypatch):
    monkeypatch.setattr(transport, "SLOTS", 2)
    wecom, together, under_way, most = wecom_at(server.url), threading.Barrier(2), [], []

    def in_pairs(connection: socket.socket) -> bool:
        under_way.append(connection)
        most.append(len(under_way))
        together.wait(10)
        time.sleep(0.2)  # in which a third would come, were there room
        under_way.remove(connection)
        return says(HER)(connection)

    server.will(GET, in_pairs)
    with ThreadPoolExecutor(6) as pool:
        assert len(list(pool.map(wecom.contact.get, ["wmA"] * 6))) == 6
    assert max(most) == 2


def test_the_proxy_of_the_environment_is_used(server, monkeypatch):
    monkeypatch.setenv("http_proxy", server.url)
    server.will("http://wecom.test/cgi-bin/gettoken", says(TOKEN))
    server.will("http://wecom.test/cgi-bin/externalcontact/list", says({**OK, "external_userid": ["wmA"]}))
    assert wecom_at("http://wecom.test/cgi-bin").contact.list("lily") == ["wmA"]


def test_each_part_has_its_own_secret_and_falls_back_on_the_apps(server):
    server.will(GET, says(HER))
    server.will("kf/account/list", says({**OK, "account_list": []}))
    wecom = wecom_at(server.url, wecom_kf_secret="kf-secret")
    wecom.contact.get("wmA"), wecom.kf.list_accounts()
    assert [line.split("corpsecret=")[1].split(" ")[0] for line, _ in server.asked("gettoken")] == [SECRET, "kf-secret"]
    with pytest.raises(BadSettings, match="FUGOU_WECOM_APP_SECRET"):
        WeCom(fugou_settings.load(wecom_corp_id="ww1", _env_file=None), None, "x")


def test_what_wecom_says_too_often_is_left_alone(server, wecom):
    server.will(GET, says({"errcode": 45009, "errmsg": "api freq out of limit"}))
    before = count(GET, "held")
    for _ in range(3):
        with pytest.raises(errors.Busy) as refusal:
            wecom.contact.get("wmA")
        assert 55 < refusal.value.wait_s <= 60
    assert len(server.asked(GET)) == 1
    assert wecom.limits.blocked().keys() == {GET}
    assert count(GET, "held") - before == 2


def test_a_member_is_not_sent_what_wecom_would_drop(server, wecom):
    server.will("message/send", says({**OK, "msgid": "m"}))
    for _ in range(30):
        wecom.app.message_send("lily|leo", "text", text={"content": "x"})
    with pytest.raises(errors.Busy):
        wecom.app.message_send("tom|lily", "text", text={"content": "x"})
    wecom.app.message_send("tom", "text", text={"content": "x"})
    wecom.app.message_send("@all", "text", text={"content": "x"})
    assert len(server.asked("message/send")) == 32
    assert b'"agentid": 7' in server.asked("message/send")[0][1]


def test_a_cursor_that_stands_still_does_not_turn_for_ever(server, wecom):
    page = {**OK, "group_chat_list": [{"chat_id": "wr1"}], "next_cursor": "same"}
    server.will("externalcontact/groupchat/list", says(page))
    with pytest.raises(errors.Unknown, match="stands still"):
        list(wecom.contact.groupchat_list())
    assert len(server.asked("externalcontact/groupchat/list")) == 2


@pytest.mark.parametrize(("ask", "endpoint", "missing"), [
    (lambda w: w.contact.get("wmA"), GET, "external_contact"),
    (lambda w: w.contact.get_contact_way("c"), "externalcontact/get_contact_way", "contact_way"),
    (lambda w: w.contact.groupchat_get("wr1"), "externalcontact/groupchat/get", "group_chat"),
    (lambda w: w.contact.get_join_way("c"), "externalcontact/groupchat/get_join_way", "join_way"),
    (lambda w: w.kf.add_contact_way("wk1"), "kf/add_contact_way", "url"),
    (lambda w: w.app.jsapi_ticket(), "get_jsapi_ticket", "ticket"),
    (lambda w: w.app.media_get("m"), "media/get", "no file"),
])  # fmt: skip
def test_an_answer_that_lacks_what_was_asked_for_is_unknown(server, wecom, ask, endpoint, missing):
    server.will(endpoint, says(OK))
    with pytest.raises(errors.Unknown, match=missing):
        ask(wecom)


def test_odd_characters_in_a_customers_name_are_read(server, wecom):
    server.will(GET, says(b'{"errcode":0,"external_contact":{"name":"a\tb\xff"},"follow_user":null}'))
    assert wecom.contact.get("wmA") == {"external_contact": {"name": "a\tb\ufffd"}, "follow_user": []}


def test_tickets_are_fetched_once_each_and_not_mixed(server, wecom):
    server.will("get_jsapi_ticket", says({**OK, "ticket": "corp", "expires_in": 7200}))
    server.will("ticket/get", says({**OK, "ticket": "app", "expires_in": 7200}))
    for _ in range(2):
        assert (wecom.app.jsapi_ticket(), wecom.app.agent_ticket()) == ("corp", "app")
    assert len(server.asked("get_jsapi_ticket")) == 1
    ((line, _),) = server.asked("ticket/get")
    assert "type=agent_config" in line


@pytest.mark.parametrize("step", [
    cuts, is_silent, raw(b"HTTP/1.1 200 OK\r\nbroken header\r\n\r\n"), says(b'{"access_token": "T-secret"'),
    says({"errcode": 40001, "errmsg": "invalid credential, hint: [1]"}), says({**TOKEN, "access_token": "T-secret"}),
])  # fmt: skip
def test_neither_secret_nor_token_shows_in_errors_or_logs(server, caplog, capsys, step, monkeypatch):
    monkeypatch.setattr(Transport.send, "__kwdefaults__", {**Transport.send.__kwdefaults__, "timeout": (0.3, 0.3)})
    server.will("gettoken", step)
    server.will(GET, cuts)
    with caplog.at_level(logging.DEBUG), pytest.raises(errors.WeComError) as failure:
        wecom_at(server.url).contact.get("wmA")
    chain, shown, error = [], caplog.text + "".join(capsys.readouterr()), failure.value
    while error is not None:
        chain.append(repr(error) + str(error) + str(vars(error)))
        error = error.__cause__ or error.__context__
    assert SECRET not in shown + "".join(chain)
    assert "T-secret" not in shown + "".join(chain)


def test_answers_are_counted_and_timed(server, wecom):
    server.will(GET, says(HER), says({"errcode": 84061, "errmsg": "x"}), cuts)
    before = [count(GET, code) for code in ("0", "84061", "Unknown")]
    timed = REGISTRY.get_sample_value("fugou_wecom_call_seconds_count", {"endpoint": GET}) or 0.0
    wecom.contact.get("wmA")
    for _ in range(2):
        with pytest.raises(errors.WeComError):
            wecom.contact.get("wmA")
    assert [count(GET, code) for code in ("0", "84061", "Unknown")] == [one + 1 for one in before]
    assert REGISTRY.get_sample_value("fugou_wecom_call_seconds_count", {"endpoint": GET}) == timed + 3
