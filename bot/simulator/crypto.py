"""Callback encryption, written here a second time on purpose: code shared with the receiver would hide a shared bug.

WeCom's scheme (developer.work.weixin.qq.com/document/path/90968): AES-256-CBC, IV = first half of the key; plaintext is
16 random bytes, the message's length (4 bytes, big-endian), the message, the receiver's id; PKCS#7 to 32 bytes.
"""

import base64
import hashlib
import secrets

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

BLOCK = 32


class Sealer:
    """Encrypts for, and decrypts as, one receiver: its token, EncodingAESKey (43 characters) and corp id."""

    def __init__(self, token: str, aes_key: str, corp_id: str) -> None:
        if len(aes_key) != 43:
            raise ValueError(f"the EncodingAESKey has {len(aes_key)} characters, expected 43")
        key = base64.b64decode(aes_key + "=")
        self.token, self.corp_id = token, corp_id
        self._cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16]))

    def seal(self, message: str, random: bytes | None = None) -> str:
        """The message encrypted, as base64."""
        body = message.encode()
        plain = (random or secrets.token_bytes(16)) + len(body).to_bytes(4, "big") + body + self.corp_id.encode()
        pad = BLOCK - len(plain) % BLOCK
        encryptor = self._cipher.encryptor()
        return base64.b64encode(encryptor.update(plain + bytes([pad]) * pad) + encryptor.finalize()).decode()

    def open(self, sealed: str) -> str:
        """The message in a base64 ciphertext. Raises ValueError where padding, length or receiver are not ours."""
        decryptor = self._cipher.decryptor()
        plain = decryptor.update(base64.b64decode(sealed)) + decryptor.finalize()
        length, pad = int.from_bytes(plain[16:20], "big"), plain[-1]
        if not 1 <= pad <= BLOCK or plain[20 + length : -pad] != self.corp_id.encode():
            raise ValueError("not encrypted for this receiver")
        return plain[20 : 20 + length].decode()

    def sign(self, timestamp: str, nonce: str, sealed: str) -> str:
        """msg_signature: SHA-1 over token, timestamp, nonce and ciphertext, sorted and joined."""
        joined = "".join(sorted((self.token, timestamp, nonce, sealed)))
        return hashlib.sha1(joined.encode(), usedforsecurity=False).hexdigest()  # WeCom's choice, not ours
