"""Binding: from the word in the chat to the page, the code in an SMS, and the orders that become hers (C7)."""

import json
import re
import threading
from collections.abc import Iterator
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
from racing import refused, together
from shop import Shop

from bot.core import checks, clock
from handlers.binding import service


class SmsService:
    """An SMS service as strict as a real one: JSON, a bearer token, E.164, 【signature】, at most 70 characters."""

    def __init__(self) -> None:
        service, self.sent, self.answer = self, [], (200, '{"code":0}')  # type: ignore[var-annotated]

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status, text = service.take(dict(self.headers), body)
                self.send_response(status)
                self.end_headers()
                self.wfile.write(text.encode())

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/send"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def take(self, headers: dict[str, str], body: bytes) -> tuple[int, str]:
        message = json.loads(body)
        good = (
            headers["Content-Type"] == "application/json" and headers.get("Authorization") == "Bearer sms-token"
            and set(message) == {"to", "message"} and re.fullmatch(r"\+\d{8,15}", message["to"])
            and re.match(r"【[^】]{2,12}】", message["message"]["content"]) and len(message["message"]["content"]) <= 70
        )  # fmt: skip
        if not good:
            return 400, '{"code":1}'
        self.sent.append((message["to"], message["message"]["content"]))
        return self.answer

    @property
    def code(self) -> str:
        """The code in the last message."""
        found = re.search(r"\d{6}", self.sent[-1][1])
        assert found
        return found[0]


@pytest.fixture
def sms(shop: Shop) -> Iterator[SmsService]:
    made = SmsService()
    object.__setattr__(shop.installation, "settings", shop.installation.settings.model_copy(update={
        "sms_url": made.url, "sms_body": '{"to": "{phone}", "message": {"content": "{text}"}}', "sms_ok": '"code":0',
        "sms_token": type(shop.installation.settings.secret_key)("sms-token"),
    }))  # fmt: skip
    shop.api.patch("/settings", {"brand_name": "山野咖啡"})
    yield made
    made.server.shutdown()
    made.server.server_close()


class Browser:
    """Her phone's: it opens a link and sends the page's forms."""

    def __init__(self, link: str) -> None:
        self.http, self.page = requests.Session(), ""
        self.take(self.http.get(link, timeout=10))

    def take(self, answer: requests.Response) -> int:
        self.page, self.url = answer.text, answer.url
        self.status = answer.status_code
        return self.status

    def send(self, action: str, **typed: str) -> int:
        """Fill in the form with this action and send it."""
        [form] = [one for one in re.findall(r"<form.*?</form>", self.page, re.S) if f'action="{action}"' in one]
        fields = dict(re.findall(r'<input[^>]*?name="(\w+)"[^>]*?value="([^"]*)"', form))
        origin = self.url.split("/h5/")[0]
        return self.take(self.http.post(origin + action, data={**fields, **typed}, timeout=10))


def stranger(shop: Shop, selector: dict[str, str], number: str, fen: int) -> None:
    item = {"sku": "B", "name": "豆", "category": "咖啡", "quantity": 1, "unit_price_fen": fen}
    body = {"order_id": number, "customer": selector, "total_fen": fen, "items": [item]}
    shop.api.post("/orders", {**body, "paid_at": clock.now().isoformat()})


def asked_link(shop: Shop, her: str, text: str = "绑定") -> str:
    """The link the chat gives her."""
    shop.wecom.sim("POST", "kf/messages", open_kfid="wkshop", external_userid=her, text=text)
    shop.run_jobs()
    found = re.search(r"http\S+/h5/bind\?t=\S+", str(shop.wecom.texts_to(her)[-1]))
    assert found, shop.wecom.texts_to(her)
    return found[0]


@pytest.fixture
def anna(shop: Shop) -> str:
    her: str = shop.wecom.add_contact("Anna", staff="lily")
    shop.run_jobs()
    return her


def verified(shop: Shop) -> list[str]:
    with shop.installation.transaction("test") as session:
        return [f"{one.name}: {said}" for one in checks.checks for said in one.run(session)]


def test_a_phone_with_a_code_ties_its_orders_to_her_once_with_a_reward(
    shop: Shop, sms: SmsService, anna: str
) -> None:  # C7 C2 I5 W2 G5
    stranger(shop, {"phone": "13800138000"}, "D1", 20_000)
    stranger(shop, {"phone": "13800138000"}, "D2", 10_000)
    assert shop.api.get("/orders/unbound") == {"orders": 2, "customers": 1, "net_fen": 30_000}
    page = Browser(asked_link(shop, anna))
    assert page.send("/h5/bind/phone", phone="138 0013 8000") == 200
    assert sms.sent[0][0] == "+8613800138000"
    assert sms.sent[0][1].startswith("【山野咖啡】您的验证码是 ")
    assert "138****8000" in page.page
    assert page.send("/h5/bind/code", code=f"{(int(sms.code) + 1) % 1_000_000:06}") == 422
    assert page.send("/h5/bind/code", code=sms.code) == 200
    assert "2 笔订单已经归到您名下" in page.page
    assert "100" in page.page
    card = shop.api.customer(anna)
    assert card["phone"] == "138****8000"
    assert card["points"]["balance"] == 450 + 100  # 1.5 % of the month's ¥300 (P2), and the reward
    assert shop.api.get("/orders/unbound") == {"orders": 0, "customers": 0, "net_fen": 0}
    stranger(shop, {"shop_customer_id": "U9"}, "D3", 5_000)
    her = card["id"]
    assert shop.api.post(f"/customers/{her}/bindings", {"order_id": "D3"}) == {
        "customer_id": her,
        "orders": 1,
        "points": 0,
    }
    assert verified(shop) == []


def test_an_order_takes_its_price_and_the_end_of_its_phone_and_can_be_given_back(
    shop: Shop, anna: str
) -> None:  # C7 C2
    stranger(shop, {"phone": "13800138000"}, "D1", 26_850)
    page = Browser(asked_link(shop, anna, "bind my order"))
    assert "/h5/bind/phone" not in page.page  # no SMS service is set
    for wrong in ({"paid": "268.51", "tail": "8000"}, {"paid": "268.5", "tail": "8001"}, {"paid": "268.50"}):
        assert page.send("/h5/bind/order", **{"order_id": "D1", "tail": "", **wrong}) == 422
        assert "no order" not in page.page
    assert page.send("/h5/bind/order", order_id="D1", paid="¥268.5", tail="8000") == 200
    kept = shop.api.get(f"/customers/{shop.api.customer(anna)['id']}/bindings")["data"]
    assert [(one["how"], one["orders"], one["points"], one["actor"][:9]) for one in kept] == [
        ("order", 1, 100, "customer:")
    ]
    with shop.installation.transaction("test") as session:
        [merge] = session.connection().exec_driver_sql("SELECT id FROM merges").scalars()
    shop.api.post(f"/merges/{merge}/undo")
    assert shop.api.get("/orders/unbound")["orders"] == 1
    assert page.http.get(page.url.replace("/order", ""), timeout=10).status_code == 410  # without its token
    answer = shop.api.call("POST", f"/customers/{shop.api.customer(anna)['id']}/bindings", {"order_id": "D1"})
    assert answer.status_code == 409  # what a person took apart is not tied again


def test_somebody_elses_orders_can_not_be_had(shop: Shop, sms: SmsService, anna: str) -> None:  # C7
    bella = shop.wecom.add_contact("Bella", staff="leo", unionid="u-bella")
    shop.run_jobs()
    shop.api.order(bella, "D1", 10_000)
    page = Browser(asked_link(shop, anna))
    assert page.send("/h5/bind/order", order_id="D1", paid="100", tail="") == 422
    assert shop.api.call(
        "POST", f"/customers/{shop.api.customer(anna)['id']}/bindings", {"order_id": "D1"}
    ).status_code == 409  # fmt: skip
    cora = shop.wecom.add_contact("Cora", staff="leo", unionid="u-cora")
    shop.run_jobs()
    shop.api.patch(f"/customers/{shop.api.customer(bella)['id']}", {"phone": "13800138000"})
    page = Browser(asked_link(shop, cora))
    page.send("/h5/bind/phone", phone="13800138000")
    assert page.send("/h5/bind/code", code=sms.code) == 200
    assert "另一个微信" in page.page
    assert shop.api.customer(cora)["phone"] is None


def test_two_who_claim_one_order_at_once_do_not_both_get_it_and_a_second_tap_is_no_error(
    shop: Shop, anna: str
) -> None:  # C7 G5
    stranger(shop, {"shop_customer_id": "U1"}, "D1", 10_000)
    bella = shop.wecom.add_contact("Bella", staff="leo")
    shop.run_jobs()
    ids = [int(shop.api.customer(one)["id"]) for one in (anna, bella)]

    def claim(customer_id: int, order_id: str) -> int:
        with shop.installation.transaction("test") as session:
            return service.by_staff(session, customer_id, order_id).orders

    got = together(*(partial(claim, one, "D1") for one in ids))
    assert (got.count(1), refused(got)) == (1, ["SomebodysOwn"])
    stranger(shop, {"shop_customer_id": "U2"}, "D2", 10_000)
    assert sorted(together(*(partial(claim, ids[0], "D2") for _ in range(3)))) == [0, 0, 1]  # type: ignore[type-var]
    assert verified(shop) == []


def test_a_code_is_over_after_ten_minutes_after_five_tries_and_once_used(
    shop: Shop, sms: SmsService, anna: str
) -> None:  # C7
    link = asked_link(shop, anna)
    page = Browser(link)
    page.send("/h5/bind/phone", phone="13800138000")
    for _ in range(5):
        assert page.send("/h5/bind/code", code="1") == 422
    assert page.send("/h5/bind/code", code=sms.code) == 422
    page = Browser(link)
    page.send("/h5/bind/phone", phone="13900139000")
    shop.pass_time(minutes=10)
    assert page.send("/h5/bind/code", code=sms.code) == 422
    page = Browser(link)
    page.send("/h5/bind/phone", phone="13700137000")
    right = sms.code
    before = page.page
    assert page.send("/h5/bind/code", code=right) == 200
    page.page = before
    page.send("/h5/bind/code", code=right)
    with shop.installation.transaction("test") as session:
        assert session.connection().exec_driver_sql("SELECT count(*) FROM bindings").scalar() == 1


def test_what_the_sms_service_does_not_take_is_said_and_kept(shop: Shop, sms: SmsService, anna: str) -> None:  # I5 G6
    page = Browser(asked_link(shop, anna))
    sms.answer = (200, '{"code":7,"msg":"balance"}')
    assert page.send("/h5/bind/phone", phone="13800138000") == 502
    assert "短信没有发出去" in page.page
    page = Browser(asked_link(shop, anna))
    sms.answer = (503, "")
    assert page.send("/h5/bind/phone", phone="13900139000") == 200  # it may have left
    with shop.installation.transaction("test") as session:
        rows = session.connection().exec_driver_sql("SELECT state, error FROM sms_codes ORDER BY id").all()
    assert [state for state, _ in rows] == ["refused", "unknown"]
    assert '"msg":"balance"' in rows[0][1]


def test_a_link_that_is_over_or_forged_opens_nothing_and_says_how_to_get_one(shop: Shop, anna: str) -> None:  # C7 S3
    link = asked_link(shop, anna)
    assert requests.get(link.replace("?t=W", "?t=X"), timeout=10).status_code == 410
    shop.pass_time(days=31)
    answer = requests.get(link, headers={"Accept-Language": "en"}, timeout=10)
    assert (answer.status_code, "expired" in answer.text) == (410, True)
