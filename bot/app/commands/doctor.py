"""`doctor`: is everything in place? One line a check; a failure says what to do, in Chinese and in English."""

import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path

import click
import redis
import requests

from bot import migrations
from bot.app.house import joined
from bot.core import settings as fugou_settings
from bot.core.errors import Refusal
from bot.core.installation import Installation
from bot.core.servers import private_servers
from bot.core.settings import WECOM_NEEDED, Settings
from bot.simulator.crypto import Sealer
from bot.wecom.callback import PREFIX, SOURCES
from bot.wecom.client import WeCom
from bot.wecom.errcodes import EXPLAINED
from bot.wecom.errors import WeComError

MOST_SKEW_SECONDS = 60  # a signed callback's timestamp, and the 20 s of a welcome code, want better
PATIENCE_SECONDS = 5
LEAST_FREE = 1 << 30  # bytes; PostgreSQL stops where there are none
WORDS = "fugou doctor"
NAME = re.compile(r"^\s*(?:export\s+)?(\w+)\s*=", re.MULTILINE)
NOT_SETTINGS = {"FUGOU_PARENT_PID", "FUGOU_BEAT"}  # what a supervisor tells its parts


@dataclass(frozen=True)
class Finding:
    """mark: ok, warn or FAIL; what was looked at; what to do, in Chinese and in English."""

    mark: str
    what: str
    zh: str = ""
    en: str = ""

    def __str__(self) -> str:
        return f"{self.mark:4} {self.what}" + (f"：{self.zh} / {self.en}" if self.zh else "")


def ok(what: str) -> Finding:
    return Finding("ok", what)


def fail(what: str, zh: str, en: str) -> Finding:
    return Finding("FAIL", what, zh, en)


@click.command()
def doctor() -> None:
    """Check settings, disk, database, Redis, WeCom, callbacks and clock; exit 1 if anything fails."""
    failed = False
    for finding in examine():
        click.echo(str(finding))
        failed = failed or finding.mark == "FAIL"
    sys.exit(1 if failed else 0)


def examine() -> Iterator[Finding]:
    """All findings, in an order in which a failure explains those after it."""
    yield from _unknown_names()
    try:
        settings = fugou_settings.load()
        settings.require("secret_key", *WECOM_NEEDED)
    except fugou_settings.BadSettings as error:
        yield fail("settings", "请改正 .env 或环境变量", str(error))
        return
    yield ok("settings")
    yield _https(settings)
    yield _disk(settings)
    try:
        with private_servers(settings) as servers:
            yield _redis(servers.redis_url)
            with joined(settings, servers) as installation:
                yield from _database(installation)
    except Refusal as error:
        yield fail("database", "请检查 FUGOU_DATABASE_URL 和 FUGOU_DATA_DIR", str(error))
    yield from _wecom(settings)
    yield from (_callback(settings, source) for source in SOURCES)
    yield _skew(settings)


def _unknown_names() -> Iterator[Finding]:
    """A name that is misspelt is otherwise read by nobody."""
    known = {f"FUGOU_{name.upper()}" for name in Settings.model_fields} | NOT_SETTINGS
    written = NAME.findall(Path(".env").read_text(encoding="utf-8")) if Path(".env").is_file() else []
    given = {name.upper() for name in (*os.environ, *written) if name.upper().startswith("FUGOU_")}
    for name in sorted(given - known):
        yield Finding("warn", name, "没有这个设置，见 docs/settings.md", "no such setting, see docs/settings.md")


def _https(settings: Settings) -> Finding:
    what = f"FUGOU_PUBLIC_URL {settings.public_url}"
    if str(settings.public_url).startswith("https://"):
        return ok(what)
    return Finding(
        "warn", what, "不是 https，登录会明文传输；请在前面放一个 TLS 代理",
        "not https, so logins travel in clear; put a TLS proxy in front",
    )  # fmt: skip


def _disk(settings: Settings) -> Finding:
    folder = settings.data_dir.resolve()
    while not folder.exists():
        folder = folder.parent
    free, least = shutil.disk_usage(folder).free >> 20, LEAST_FREE >> 20
    what = f"disk, {free:,} MiB free in FUGOU_DATA_DIR"
    if free >= least:
        return ok(what)
    return fail(
        what, f"请腾出至少 {least:,} MiB，或换一个 FUGOU_DATA_DIR",
        f"make room, {least:,} MiB at least, or move FUGOU_DATA_DIR",
    )  # fmt: skip


def _redis(url: str) -> Finding:
    try:
        with redis.Redis.from_url(url, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS) as one:
            one.ping()
    except redis.RedisError as error:
        return fail(
            f"redis, {type(error).__name__}", "连不上；请检查 FUGOU_REDIS_URL，以及 Redis 或 Valkey 是否在运行",
            "not reached; check FUGOU_REDIS_URL and that Redis or Valkey runs",
        )  # fmt: skip
    return ok("redis")


def _database(installation: Installation) -> Iterator[Finding]:
    at, newest = migrations.current(installation.engine), migrations.newest()
    what = f"database, schema {at or 'empty'} of {newest}"
    if at != newest:
        yield fail(what, "请运行 fugou db upgrade", "run: fugou db upgrade")
        return
    yield ok(what)
    try:
        assert installation.vault
    except Refusal as error:
        yield fail("secret key", "FUGOU_SECRET_KEY 不是建库时的那一个；请填回原来的", str(error))
    else:
        yield ok("secret key")


def _wecom(settings: Settings) -> Iterator[Finding]:
    """Of each secret: is its token valid, may this address call, may it call what we need?"""
    wecom = WeCom(settings, None, WORDS)
    contact = "WECOM_CONTACT_SECRET" if settings.wecom_contact_secret else "WECOM_APP_SECRET"
    kf = "WECOM_KF_SECRET" if settings.wecom_kf_secret else "WECOM_APP_SECRET"
    yield _called("WeCom, 应用", "WECOM_APP_SECRET", wecom.app.agent_get)
    yield _called("WeCom, 客户联系", contact, wecom.contact.get_follow_user_list)
    yield _called("WeCom, 微信客服", kf, wecom.kf.list_accounts)


def _called(what: str, secret: str, call: Callable[[], object]) -> Finding:
    try:
        call()
    except WeComError as error:
        to_blame = {None: "WECOM_API_BASE", 40013: "WECOM_CORP_ID", 301002: "WECOM_AGENT_ID", 40056: "WECOM_AGENT_ID"}
        name = f"FUGOU_{to_blame.get(error.errcode, secret)}"
        zh, en = error.zh, error.en
        if error.errcode in EXPLAINED:
            what, (zh, en) = f"{what}, {error.errcode} {error.errmsg}", EXPLAINED[error.errcode]
        return fail(what, f"{zh}；见 {name}", f"{en}; see {name}")
    return ok(what)


def _callback(settings: Settings, source: fugou_settings.Source) -> Finding:
    """As WeCom does when the address is saved: does who answers there open what our token and key have sealed?"""
    token, key = settings.callback_keys(source)
    address, what = f"{settings.public_url}{PREFIX}{source}", f"callback {settings.public_url}{PREFIX}{source}"
    sealer, stamp = Sealer(token, key, settings.wecom_corp_id or ""), str(int(time.time()))
    sealed = sealer.seal(WORDS)
    query = {"timestamp": stamp, "nonce": stamp, "echostr": sealed, "msg_signature": sealer.sign(stamp, stamp, sealed)}
    try:
        answer = requests.get(address, query, timeout=PATIENCE_SECONDS)
    except requests.RequestException as error:
        return fail(
            f"{what}, {type(error).__name__}", "没有人应答；请运行 fugou up，让代理放行 /wecom/，检查 FUGOU_PUBLIC_URL",
            "nobody answers; start `fugou up`, let the proxy pass /wecom/, check FUGOU_PUBLIC_URL",
        )  # fmt: skip
    if answer.text == WORDS:
        return ok(what)
    own = f"FUGOU_WECOM_{'' if source == 'app' else f'{source.upper()}_'}CALLBACK_TOKEN / …_AES_KEY"
    if answer.status_code in (400, 403):
        return fail(
            what, f"应答的程序用的是别的密钥；改过 {own} 后请重启 fugou up",
            f"who answers has other keys; after a change of {own} start `fugou up` again",
        )  # fmt: skip
    return fail(
        f"{what}, answered {answer.status_code}", "应答的不是复购；请检查 FUGOU_PUBLIC_URL 和代理",
        "who answers is not Fugou; check FUGOU_PUBLIC_URL and the proxy",
    )  # fmt: skip


def _skew(settings: Settings) -> Finding:
    try:
        answer = requests.get(f"{settings.wecom_api_base}/gettoken", timeout=PATIENCE_SECONDS)
        theirs = parsedate_to_datetime(answer.headers["Date"]).replace(tzinfo=UTC)  # HTTP's are GMT
    except (requests.RequestException, KeyError, ValueError) as error:
        return fail(
            f"clock, {type(error).__name__}", "读不到企业微信的时间；这台机器能访问 FUGOU_WECOM_API_BASE 吗？",
            "WeCom's time can't be read; does this machine reach FUGOU_WECOM_API_BASE?",
        )  # fmt: skip
    skew = abs((datetime.now(UTC) - theirs).total_seconds())
    what = f"clock, {skew:.0f} s from WeCom's"
    return ok(what) if skew < MOST_SKEW_SECONDS else fail(what, "请打开 NTP 校时", "turn on NTP")
