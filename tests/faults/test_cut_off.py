"""Kill -9 after an effect was committed and before it was answered: the key has no second effect (G5)."""

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from deeds.driver import until
from running import Shop, answers, family, shop


@pytest.fixture(scope="module")
def town() -> Iterator[Shop]:
    with shop() as made:
        yield made


def test_a_request_whose_process_dies_before_it_answers_is_not_done_again(town: Shop) -> None:  # G5
    body = {"name": "门店A", "staff": ["lily"], "skip_verify": True, "tags": []}
    asked = ("POST", "/live-codes", body)
    town.phone.sim("POST", "faults", path="externalcontact/add_contact_way", delay_s=20)
    with ThreadPoolExecutor(1) as pool:
        cut = pool.submit(town.api.call, *asked, headers={"Idempotency-Key": "k1"})
        until(lambda: codes(town) == 1)  # the effect stands, and WeCom has not answered yet
        for pid, line in family(town.running.process.pid).items():
            if "parts web" in line:
                os.kill(pid, signal.SIGKILL)
        assert isinstance(cut.exception(), requests.ConnectionError)
    until(lambda: answers(town.running.url))
    again = town.api.call(*asked, headers={"Idempotency-Key": "k1"})
    assert again.status_code == 409
    assert "cut off" in again.json()["detail"]
    assert codes(town) == 1
    assert town.api.call(*asked, headers={"Idempotency-Key": "k2"}).status_code in (201, 202)


def codes(town: Shop) -> int:
    return int(town.scalar("SELECT count(*) FROM live_codes"))
