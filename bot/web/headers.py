"""What every answer carries beside its body: security headers (pages.md §8), and packing for HTML."""

import gzip
import io
import secrets

from flask import Flask, Response, request

from bot.core.settings import Settings

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; media-src 'self';"
    " font-src 'self';"
    " connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
EVERYWHERE = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}
HSTS = "max-age=31536000"
WORTH_PACKING_BYTES = 1024


def install(app: Flask, settings: Settings) -> None:
    """Add the headers to every answer of `app`; a view's own value of one stays."""
    fixed = dict(EVERYWHERE)
    if is_https(settings):
        fixed["Strict-Transport-Security"] = HSTS

    def dress(response: Response) -> Response:
        for name, value in fixed.items():
            response.headers.setdefault(name, value)
        if response.mimetype == "text/html":
            response.headers.setdefault("Cache-Control", "no-store")  # pages show customers
            _pack(response)
        return response

    app.after_request(dress)


def is_https(settings: Settings) -> bool:
    """Whether people reach this installation by https, so that cookies may insist on it."""
    return settings.public_url is not None and settings.public_url.startswith("https://")


def _pack(response: Response) -> None:
    if response.direct_passthrough or response.content_encoding or not request.accept_encodings.quality("gzip"):
        return
    body = response.get_data()
    if len(body) < WORTH_PACKING_BYTES:
        return
    # A page holds a secret (the form token) beside what a link may reflect: a file name of random length in the gzip
    # header blurs the size that a BREACH attack measures.
    noise, packed = secrets.token_hex(secrets.randbelow(33)), io.BytesIO()
    with gzip.GzipFile(filename=noise, mode="wb", compresslevel=5, fileobj=packed, mtime=0) as file:
        file.write(body)
    response.set_data(packed.getvalue())
    response.content_encoding = "gzip"
    response.vary.add("Accept-Encoding")
