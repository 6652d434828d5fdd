"""`simulator`: the simulated WeCom alone."""

from pathlib import Path

import click

from bot import simulator as wecom
from bot.core.errors import Refusal


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), required=True, help="0 = any free one.")
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--corp-id", required=True)
@click.option("--secret", required=True)
@click.option("--callback-url", help="Takes everything; ending in /contact, /app or /kf only that one.")
@click.option("--token", help="Of the callback.")
@click.option("--aes-key", help="EncodingAESKey of the callback.")
@click.option("--data", type=click.Path(dir_okay=False, path_type=Path), help="JSON, read at start, written at stop.")
def simulator(
    port: int,
    host: str,
    corp_id: str,
    secret: str,
    callback_url: str | None,
    token: str | None,
    aes_key: str | None,
    data: Path | None,
) -> None:
    """A WeCom on this machine: its API under /cgi-bin/, its people under /sim/, a phone at /phone."""
    if callback_url and not (token and aes_key):
        raise click.UsageError("--callback-url needs --token and --aes-key")
    try:
        wecom.serve(
            lambda url: click.echo(f"ready {url}"), corp_id=corp_id, secret=secret, callback_url=callback_url,
            token=token, aes_key=aes_key, data=data, port=port, host=host,
        )  # fmt: skip
    except (ValueError, OSError) as error:
        raise Refusal(str(error)) from None
