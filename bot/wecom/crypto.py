"""Opening what WeCom posts to the callback: signature, AES, padding, length, receiver; wecom.md §1.4 and §1.5.

Our own instead of wechatpy's, which compares signatures in variable time, checks neither padding nor length and raises
whatever comes; it is the peer of the tests.
"""

import binascii
import hashlib
import hmac
import re

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from bot.wecom.errors import BadEnvelope, NotFromWeCom, TooLarge

__all__ = ["MOST_BYTES", "BadEnvelope", "CallbackCrypto"]

MOST_BYTES = 1024 * 1024  # of a callback's body
BLOCK = 16  # AES; WeCom pads to 32, so one more block at most, and padding of 1 to 32 bytes
MOST_PADDING = 32
HEAD = 20  # 16 random bytes, then the message's length as 4 bytes, big-endian
ENCRYPT = re.compile(rb"<Encrypt>\s*+(?:<!\[CDATA\[([A-Za-z0-9+/=]++)\]\]>|([A-Za-z0-9+/=]++))\s*+</Encrypt>")
PROLOG = re.compile(rb"(?:\xef\xbb\xbf)?\s*+(?:<\?.*?\?>\s*+|<!--.*?-->\s*+)*+", re.DOTALL)


class CallbackCrypto:
    """Token, EncodingAESKey (43 characters) and receive id (the corp id; empty is legal) of one callback."""

    def __init__(self, token: str, aes_key: str, receive_id: str) -> None:
        key = binascii.a2b_base64(aes_key + "=")
        self._token, self._receive_id = token.encode(), receive_id.encode()
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:BLOCK]))

    def open(self, body: bytes, signature: str, timestamp: str, nonce: str) -> bytes:
        """The XML inside the posted `body`; the three texts are the query's `msg_signature`, `timestamp` and `nonce`.

        Raises BadEnvelope, and nothing else, whatever the bytes.
        """
        if len(body) > MOST_BYTES:
            raise TooLarge(f"a callback has at most {MOST_BYTES} bytes")
        if b"<!DOCTYPE" in body or b"<!ENTITY" in body:  # WeCom's envelope is ids and base64: neither can be text
            raise BadEnvelope("the envelope has a DTD")
        found = ENCRYPT.search(body)
        if found is None:
            raise BadEnvelope("the envelope has no Encrypt element of base64")
        xml = self._decrypt(found[1] or found[2], signature, timestamp, nonce)
        prolog = PROLOG.match(xml)
        if prolog and xml.startswith(b"<!DOCTYPE", prolog.end()):  # anywhere else it is what somebody wrote
            raise BadEnvelope("the message has a DTD")
        return xml

    def verify_echo(self, echostr: str, signature: str, timestamp: str, nonce: str) -> bytes:
        """The plain text that WeCom wants back, as it is, when the address is saved (§1.2). Raises BadEnvelope."""
        return self._decrypt(_bytes(echostr), signature, timestamp, nonce)

    def _decrypt(self, secret: bytes, signature: str, timestamp: str, nonce: str) -> bytes:
        parts = sorted((self._token, _bytes(timestamp), _bytes(nonce), secret))
        expected = hashlib.sha1(b"".join(parts), usedforsecurity=False).hexdigest()
        if not hmac.compare_digest(expected.encode(), _bytes(signature)):
            raise NotFromWeCom("the signature is not made with this callback's token")
        try:
            sealed = binascii.a2b_base64(secret, strict_mode=True)
        except binascii.Error:
            raise BadEnvelope("the encrypted text is not base64") from None
        if not sealed or len(sealed) % BLOCK:
            raise BadEnvelope(f"the encrypted text is {len(sealed)} bytes long, expected whole blocks of {BLOCK}")
        decryptor = self._cipher.decryptor()
        return self._unpack(decryptor.update(sealed) + decryptor.finalize())

    def _unpack(self, plain: bytes) -> bytes:
        padding = plain[-1]
        if not 1 <= padding <= MOST_PADDING or not plain.endswith(bytes((padding,)) * padding):
            raise BadEnvelope("the padding is wrong")
        end = HEAD + int.from_bytes(plain[16:HEAD], "big")
        if end > len(plain) - padding:
            raise BadEnvelope("the message is shorter than its length says")
        if not hmac.compare_digest(plain[end : len(plain) - padding], self._receive_id):
            raise NotFromWeCom("the message is for another corp")
        return plain[HEAD:end]


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "replace")  # a query may hold lone surrogates
