"""Secrets that are shown once: made from 32 random bytes, kept as their digest."""

import secrets
from hashlib import sha256


def new_token(prefix: str = "") -> tuple[str, bytes]:
    """A URL-safe token of 256 bits and the digest it is found by."""
    token = prefix + secrets.token_urlsafe(32)
    return token, digest(token)


def digest(token: str) -> bytes:
    """SHA-256; enough for a token of 256 bits, which nobody can guess and try."""
    return sha256(token.encode()).digest()
