"""The nightly look at every invariant."""

import pytest
from shop import Shop
from sqlalchemy import text

from bot.core import jobs
from bot.operators.jobs import Differs


def failed(shop: Shop) -> list[str]:
    with shop.installation.transaction("test") as session:
        return [one.error or "" for one in jobs.failed(session) if one.name.endswith("verify")]


def test_a_balance_that_its_entries_deny_is_found_at_night_and_shown(shop: Shop) -> None:  # P1 G6
    anna = shop.wecom.add_contact("Anna")
    shop.run_jobs()
    shop.api.order(anna, "D1", 50_000)
    shop.pass_time(days=1)
    shop.run_jobs()
    assert failed(shop) == []
    with shop.installation.transaction("test") as session:
        session.execute(text("UPDATE points_accounts SET balance = balance + 1"))
    shop.pass_time(days=1)
    with pytest.raises(Differs, match="points: balance"):
        shop.run_jobs()
    [said] = failed(shop)
    assert "points: balance" in said
