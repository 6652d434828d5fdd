"""Personal data at rest, and signed links.

SECRET_KEY seals one random data key, kept in the row of the installation; the data key encrypts phones and tokens and
keys the hashes they are looked up by. So a new SECRET_KEY (with the former one in SECRET_KEY_OLD) re-seals one row.
"""

import base64
import hashlib
import hmac
import json
from datetime import datetime
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bot.core.settings import BadSettings, Settings


def derive(secret: bytes, purpose: str) -> bytes:
    """32 bytes for one purpose from a secret (HKDF-SHA256, RFC 5869)."""
    return HKDF(SHA256(), 32, salt=None, info=f"fugou/{purpose}".encode()).derive(secret)


def _sealer(settings: Settings) -> MultiFernet:
    keys = [key for key in (settings.secret_key, settings.secret_key_old) if key is not None]
    return MultiFernet([Fernet(base64.urlsafe_b64encode(derive(k.get_secret_value().encode(), "seal"))) for k in keys])


class Vault:
    """Encrypts and hashes with the installation's data key (32 bytes)."""

    def __init__(self, data_key: bytes) -> None:
        self._fernet = Fernet(base64.urlsafe_b64encode(derive(data_key, "encrypt")))
        self._hash_key, self._sign_key = derive(data_key, "lookup"), derive(data_key, "sign")

    @classmethod
    def new_key(cls, settings: Settings) -> bytes:
        """A new data key, sealed under SECRET_KEY."""
        return _sealer(settings).encrypt(Fernet.generate_key())

    @classmethod
    def unseal(cls, sealed: bytes, settings: Settings) -> "Vault":
        """Raises BadSettings where SECRET_KEY is not the one this database was made with."""
        try:
            return cls(_sealer(settings).decrypt(sealed))
        except InvalidToken:
            raise BadSettings(
                "FUGOU_SECRET_KEY is not the key this database was made with; put that one into FUGOU_SECRET_KEY"
                " (or FUGOU_SECRET_KEY_OLD while keys rotate)"
            ) from None

    def encrypt(self, text: str) -> bytes:
        return self._fernet.encrypt(text.encode())

    def decrypt(self, sealed: bytes) -> str:
        return self._fernet.decrypt(sealed).decode()

    def lookup(self, text: str) -> bytes:
        """The keyed hash a value is found by (HMAC-SHA256): equal texts, equal hashes; useless without the key."""
        return hmac.digest(self._hash_key, text.encode(), "sha256")

    def sign(self, purpose: str, data: Any, until: datetime) -> str:
        """A URL-safe token that carries `data` (JSON) for one `purpose` and ends at `until`."""
        body = json.dumps([data, int(until.timestamp())], separators=(",", ":")).encode()
        return _b64(body) + "." + _b64(self._mac(purpose, body))

    def read(self, purpose: str, token: str, at: datetime) -> Any:
        """The data of a token that `sign` made for `purpose`. Raises ValueError if forged or over."""
        body_text, _, mac_text = token.partition(".")
        try:
            body, mac = (base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)) for part in (body_text, mac_text))
        except ValueError:
            raise ValueError("not a token of ours") from None
        if not hmac.compare_digest(mac, self._mac(purpose, body)):
            raise ValueError("not a token of ours")
        data, until = json.loads(body)
        if at.timestamp() >= until:
            raise ValueError("the link has expired")
        return data

    def _mac(self, purpose: str, body: bytes) -> bytes:
        return hmac.digest(self._sign_key, purpose.encode() + b"\0" + body, "sha256")[:16]


def _b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def fingerprint(data: bytes) -> str:
    """SHA-256 of `data`, hex: names content (a file, a request body), keeps no secret."""
    return hashlib.sha256(data).hexdigest()
