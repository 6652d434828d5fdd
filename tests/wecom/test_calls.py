"""The table of calls an outbox row may name."""

import pytest

from bot.wecom.api.app import AppApi
from bot.wecom.api.contact import ContactApi
from bot.wecom.api.kf import KfApi
from bot.wecom.calls import CALLS

CLIENTS = {"contact": ContactApi, "kf": KfApi, "app": AppApi}


@pytest.mark.parametrize("name", CALLS)
def test_every_call_is_a_method_of_the_client(name: str) -> None:
    client, method = CALLS[name].send.__code__.co_names
    assert callable(getattr(CLIENTS[client], method))
