"""The same key, the same answer, whatever WeCom says to what the first request needed of it (G5)."""

import re

import requests
from shop import Shop
from sqlalchemy import select

from bot.core import clock
from bot.operators.accounts import add_operator, one_time_login
from bot.web.idempotency import IdempotencyKey

CODE = {"name": "门店A", "staff": ["lily"], "skip_verify": True}
KEY = {"Idempotency-Key": "k1"}


def test_what_wecom_has_made_is_answered_again_and_not_made_again(shop: Shop) -> None:  # F1 G5
    first, again = (shop.api.call("POST", "/live-codes", CODE, headers=KEY) for _ in range(2))
    assert (first.status_code, first.text) == (again.status_code, again.text)
    assert first.status_code == 201
    assert len(shop.api.get("/live-codes")["data"]) == 1
    assert shop.api.call("POST", "/live-codes", {**CODE, "name": "门店B"}, headers=KEY).status_code == 409


def test_what_was_asked_is_not_kept_in_clear(shop: Shop) -> None:  # S1 G5
    order = {"order_id": "A1", "customer": {"phone": "13800138000"}, "paid_at": clock.now().isoformat(),
             "total_fen": 100, "items": []}  # fmt: skip
    first, again = (shop.api.call("POST", "/orders", order, headers=KEY) for _ in range(2))
    assert (first.status_code, first.text) == (again.status_code, again.text)
    with shop.installation.transaction("test") as session:
        kept = session.scalars(select(IdempotencyKey)).one()
    assert "13800138000" not in kept.content + (kept.answer or "")


def test_what_wecom_has_refused_is_answered_again_and_not_asked_again(shop: Shop) -> None:  # F1 G5
    shop.wecom.sim("POST", "faults", path="externalcontact/add_contact_way", errcode=40096)
    first, again = (shop.api.call("POST", "/live-codes", CODE, headers=KEY) for _ in range(2))
    assert (first.status_code, first.text) == (again.status_code, again.text)
    assert first.status_code == 502
    assert len(shop.api.get("/live-codes")["data"]) == 1


def test_a_form_that_wecom_has_refused_may_be_sent_again_and_counts_once_then(shop: Shop) -> None:  # F1 G5
    with shop.installation.transaction("test") as session:
        add_operator(session, "lin", "owner", "a password for tests")
        token = one_time_login(session, "lin")
    browser = requests.Session()
    browser.get(f"{shop.url}/console/login/{token}", timeout=10)
    place = f"{shop.url}/console/live-codes/new"
    page = browser.get(place, timeout=10)
    assert page.status_code == 200, page.text
    form = dict(re.findall(r'name="(csrf_token|form_key)"[^>]* value="([^"]+)"', page.text))
    form |= {"name": "门店A", "staff": "lily"}
    shop.wecom.sim("POST", "faults", path="externalcontact/add_contact_way", errcode=40096)
    statuses = [browser.post(place, data=form, timeout=10, allow_redirects=False).status_code for _ in range(3)]
    assert statuses == [422, 303, 303]
    assert [bool(code["qr_code"]) for code in shop.api.get("/live-codes")["data"]] == [True, False]
