"""One-time passwords by time (RFC 6238, with SHA-1, 30 seconds and six digits: what authenticator apps know). Pure."""

import base64
import hmac
import secrets
from datetime import datetime
from urllib.parse import quote

STEP_SECONDS, DIGITS = 30, 6
DRIFT_STEPS = 1  # by which her phone's clock may differ, either way (RFC 6238, 5.2)
SEED_BYTES = 20  # as long as SHA-1's digest (RFC 4226, 4)
ISSUER = "Fugou"


def new_seed() -> bytes:
    """A shared secret for one account."""
    return secrets.token_bytes(SEED_BYTES)


def password_at(seed: bytes, step: int) -> str:
    """The password of a step of 30 s, counted from 1970 (RFC 4226, 5.3)."""
    digest = hmac.digest(seed, step.to_bytes(8, "big"), "sha1")
    offset = digest[-1] & 0xF
    number = int.from_bytes(digest[offset : offset + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**DIGITS:0{DIGITS}}"


def matching_step(seed: bytes, typed: str, at: datetime, after: int) -> int | None:
    """The step whose password was typed, None where there is none. after: the last one used, which counts no more."""
    now = int(at.timestamp()) // STEP_SECONDS
    steps = [step for step in range(now - DRIFT_STEPS, now + DRIFT_STEPS + 1) if step > after]
    return next((step for step in steps if hmac.compare_digest(password_at(seed, step), typed)), None)


def written(seed: bytes) -> str:
    """The seed as apps take it by hand: Base32 without padding."""
    return base64.b32encode(seed).decode().rstrip("=")


def address(seed: bytes, account: str) -> str:
    """The `otpauth:` address that an app reads off the QR code."""
    return f"otpauth://totp/{ISSUER}:{quote(account)}?secret={written(seed)}&issuer={ISSUER}"
