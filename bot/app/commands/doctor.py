"""`doctor`: is everything in place? One line a check; a failure says what to do."""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import click
import redis
import requests
from sqlalchemy.exc import SQLAlchemyError

from bot import migrations
from bot.app.house import opened
from bot.core import settings as fugou_settings
from bot.core.errors import Refusal
from bot.core.installation import Installation
from bot.core.settings import WECOM_NEEDED, Settings
from bot.wecom import errors
from bot.wecom.client import WeCom

MOST_SKEW_SECONDS = 60  # a signed callback's timestamp, and the 20 s of a welcome code, want better
PATIENCE_SECONDS = 5


@dataclass(frozen=True)
class Finding:
    """ok, what was looked at, and (for a failure) what to do."""

    ok: bool
    what: str
    advice: str = ""


@click.command()
def doctor() -> None:
    """Check settings, database, Redis, WeCom, callback address, clock and migrations; exit 1 if any fails."""
    failed = False
    for finding in examine():
        click.echo(
            f"{'ok  ' if finding.ok else 'FAIL'} {finding.what}{f'. {finding.advice}' if finding.advice else ''}"
        )
        failed = failed or not finding.ok
    sys.exit(1 if failed else 0)


def examine() -> Iterator[Finding]:
    """All findings, in an order in which a failure explains those after it."""
    try:
        settings = fugou_settings.load()
        settings.require("secret_key", *WECOM_NEEDED)
    except fugou_settings.BadSettings as error:
        yield Finding(False, "settings", str(error))
        return
    yield Finding(True, "settings")
    if not str(settings.public_url).startswith("https://"):
        yield Finding(True, "public address is not https", "Cookies travel in clear; put a TLS proxy in front")
    try:
        with opened(settings, migrated=False) as installation:
            yield from _inside(installation)
            yield from _wecom(installation)
    except Refusal as error:
        yield Finding(False, "servers", str(error))
    yield _callback(settings)
    yield _skew(settings)


def _inside(installation: Installation) -> Iterator[Finding]:
    try:
        at = migrations.current(installation.engine)
    except SQLAlchemyError as error:
        yield Finding(False, f"database: {type(error).__name__}", "Check FUGOU_DATABASE_URL and that PostgreSQL runs")
        return
    newest = migrations.newest()
    yield Finding(at == newest, f"database, schema {at} of {newest}", "" if at == newest else "Run: fugou db upgrade")
    if at == newest:
        yield _judge("secret key", lambda: installation.vault)
    try:
        installation.redis.ping()
        yield Finding(True, "redis")
    except redis.RedisError as error:
        yield Finding(False, f"redis: {type(error).__name__}", "Check FUGOU_REDIS_URL and that Redis or Valkey runs")


def _wecom(installation: Installation) -> Iterator[Finding]:
    wecom = WeCom(installation.settings, installation.redis, "{fugou:doctor}:")
    yield _judge("WeCom, secret of the app and allowed address", wecom.contact.get_follow_user_list)
    yield _judge("WeCom, 微信客服", wecom.kf.list_accounts)


def _judge(what: str, attempt: Callable[[], object]) -> Finding:
    try:
        attempt()
    except errors.WeComError as error:
        return Finding(False, what, error.zh)
    except Refusal as error:
        return Finding(False, what, str(error))
    return Finding(True, what)


def _callback(settings: Settings) -> Finding:
    what = f"callback reachable at {settings.public_url}"
    try:
        answer = requests.get(f"{settings.public_url}/wecom/callback/contact", timeout=PATIENCE_SECONDS)
    except requests.RequestException as error:
        return Finding(False, f"{what}: {type(error).__name__}", "Start `fugou up`; let the proxy pass /wecom/")
    expected = answer.status_code in (400, 403)  # unsigned: refused, and that is the program itself speaking
    return Finding(expected, what, "" if expected else f"Answered {answer.status_code}; something else listens there")


def _skew(settings: Settings) -> Finding:
    try:
        answer = requests.get(f"{settings.wecom_api_base}/gettoken", timeout=PATIENCE_SECONDS)
        theirs = parsedate_to_datetime(answer.headers["Date"])
    except (requests.RequestException, KeyError, ValueError) as error:
        return Finding(False, f"clock: WeCom's time not read, {type(error).__name__}", "Does this machine reach WeCom?")
    skew = abs((datetime.now(UTC) - theirs).total_seconds())
    near = skew < MOST_SKEW_SECONDS
    return Finding(near, f"clock within {skew:.0f} s of WeCom's", "" if near else "Turn on NTP")
