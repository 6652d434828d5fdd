"""Callback encryption against the known answers of wecom.md 1.7 and against wechatpy."""

import base64

import pytest
from wechatpy.crypto.base import BasePrpCrypto
from wechatpy.work.crypto import PrpCrypto, WeChatCrypto

from bot.simulator.crypto import Sealer

PUBLISHED = Sealer("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
ECHO = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="


def test_the_published_vector_is_signed_and_opened():
    assert PUBLISHED.sign("1409659589", "263014780", ECHO) == "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3"
    assert PUBLISHED.open(ECHO) == "1616140317555161061"


def test_with_the_same_random_the_ciphertext_is_wechatpys(monkeypatch):
    key, corp = "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR", "wx49f0ab532d5d035a"
    monkeypatch.setattr(BasePrpCrypto, "get_random_string", lambda self: b"1234567890123456")
    theirs = PrpCrypto(base64.b64decode(key + "=")).encrypt("test", corp).decode()
    assert Sealer("123456", key, corp).seal("test", b"1234567890123456") == theirs


@pytest.mark.parametrize("length", [0, 1, 11, 12, 13, 31, 32, 33, 4000])
def test_wechatpy_opens_what_is_sealed_at_every_padding(length):
    peer = WeChatCrypto("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
    text = "积" * length
    sealed = PUBLISHED.seal(text)
    opened = peer.check_signature(PUBLISHED.sign("1", "2", sealed), "1", "2", sealed)
    assert (opened if isinstance(opened, str) else opened.decode()) == text
    assert PUBLISHED.open(sealed) == text


def test_what_is_sealed_for_another_corp_is_not_opened():
    other = Sealer("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "ww_other")
    with pytest.raises(ValueError, match="receiver"):
        PUBLISHED.open(other.seal("hello"))


def test_a_short_key_is_refused():
    with pytest.raises(ValueError, match="43"):
        Sealer("t", "short", "ww1")
