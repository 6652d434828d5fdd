"""`init`, `db`, `operator`, `apikey`: making an installation and who may use it."""

import secrets
import sys
from pathlib import Path

import click
from flask import Flask
from sqlalchemy.orm import Session

from bot import migrations
from bot.app.create import create_app
from bot.app.house import keyed_settings, opened, prepare
from bot.core import settings as fugou_settings
from bot.core.errors import Refusal
from bot.core.settings import WECOM_NEEDED, BadSettings
from bot.operators import accounts, keys, twostep
from bot.operators.roles import ROLES
from bot.web.api import rfc3339
from bot.web.guard import permission_of

ENV = """\
# 复购的设置，逐项说明见 docs/settings.md / Settings of this Fugou installation; docs/settings.md explains each.

# 加密客户隐私的密钥，请另存一份：没有它备份读不回来 / Encrypts personal data; keep a copy, no backup opens without.
FUGOU_SECRET_KEY={secret_key}

# 客户和企业微信访问的网址，https:// 开头 / The address at which customers and WeCom reach it, https://…
FUGOU_PUBLIC_URL={public_url}

# 企业微信管理后台 › 我的企业 › 企业信息 › 企业 ID / WeCom's admin console: the corp's id
FUGOU_WECOM_CORP_ID=

# 应用管理 › 自建应用的 AgentId 和 Secret / your app's AgentId and Secret
FUGOU_WECOM_AGENT_ID=
FUGOU_WECOM_APP_SECRET=

# 该应用 › 接收消息 › 设置 API 接收的 Token 和 EncodingAESKey / of the app's 接收消息
FUGOU_WECOM_CALLBACK_TOKEN=
FUGOU_WECOM_CALLBACK_AES_KEY=

# 客户联系、微信客服另有 Secret 时才填 / Only where 客户联系 and 微信客服 have secrets of their own:
#FUGOU_WECOM_CONTACT_SECRET=
#FUGOU_WECOM_KF_SECRET=

# 不填就用 FUGOU_DATA_DIR 里自带的 PostgreSQL 和 Valkey / Left out, private ones live in FUGOU_DATA_DIR:
#FUGOU_DATABASE_URL=postgresql+psycopg://user:password@host/fugou
#FUGOU_REDIS_URL=redis://host:6379/0
#FUGOU_DATA_DIR=./data
"""


@click.command()
@click.option("--yes", is_flag=True, help="Ask nothing; take the environment as it is.")
def init(yes: bool) -> None:
    """Write .env, create the database and the account `owner`."""
    file = Path(".env")
    settings = fugou_settings.load()
    if settings.secret_key is None:
        if file.exists():
            raise Refusal("there is a .env without FUGOU_SECRET_KEY; add one of 32 characters or more to it")
        url = settings.public_url or ("" if yes else _ask_address())
        file.touch(mode=0o600)
        file.write_text(ENV.format(secret_key=secrets.token_urlsafe(32), public_url=url), encoding="utf-8")
        click.echo(f"已写出 {file} / wrote {file}")
        settings = fugou_settings.load()
    with opened(settings, migrated=False) as installation:
        prepare(installation)
        at = migrations.current(installation.engine)
        click.echo(f"数据库已就绪，结构 {at} / database ready, schema {at}")
        with installation.transaction("cli") as session:
            click.echo(_owner(session, settings))
    click.echo(_next_step(settings))


def _ask_address() -> str:
    """The address, asked for until it is one; empty where it is not known yet."""
    address: str = click.prompt("网址 / Public address, https://…", default="", value_proc=_checked_address)
    return address


def _checked_address(said: str) -> str:
    try:
        return said if not said else str(fugou_settings.load(public_url=said).public_url)
    except BadSettings as error:
        raise click.UsageError(str(error)) from None


def _owner(session: Session, settings: fugou_settings.Settings) -> str:
    """Make the account `owner` where there is none, and say how to get in."""
    if accounts.find_operator(session, "owner") is not None:
        return "账号 owner 已经有了 / the account owner exists already"
    password = settings.owner_password.get_secret_value() if settings.owner_password else None
    accounts.add_operator(session, "owner", "owner", password)
    made = "账号 owner 已建好 / account owner made"
    if password is not None:
        return f"{made}; password: FUGOU_OWNER_PASSWORD"
    link = f"{settings.public_url or ''}/console/login/{accounts.one_time_login(session, 'owner')}"
    return (
        f"{made}\n{accounts.LINK_MINUTES} 分钟内登录，以后用 fugou operator login owner / login now or so later: {link}"
    )


def _next_step(settings: fugou_settings.Settings) -> str:
    absent = [f"FUGOU_{name.upper()}" for name in WECOM_NEEDED if getattr(settings, name) is None]
    fill = f"填好 .env 里的 {'、'.join(absent)}，再" if absent else ""
    fill_in = f"fill in {', '.join(absent)} in .env, then " if absent else ""
    return (
        f"下一步：{fill}运行 fugou up，另开一个终端运行 fugou doctor 和 fugou sync"
        f" / next: {fill_in}run fugou up, and beside it fugou doctor and fugou sync"
    )


@click.group()
def db() -> None:
    """Schema migrations."""


@db.command()
@click.argument("to", default="head")
def upgrade(to: str) -> None:
    """Bring the schema up to TO (default: the newest)."""
    with opened(keyed_settings(), migrated=False) as installation:
        prepare(installation, to)
        click.echo(migrations.current(installation.engine))


@db.command(context_settings={"ignore_unknown_options": True})  # -1 is no option
@click.argument("to")
def downgrade(to: str) -> None:
    """Take the schema back to TO (a number, -1, or base). Data that only the newer schema holds is lost."""
    with opened(keyed_settings(), migrated=False) as installation:
        migrations.downgrade(installation.engine, to)
        click.echo(migrations.current(installation.engine) or "empty")


@db.command()
def current() -> None:
    """The schema the database stands at, and the newest."""
    with opened(keyed_settings(), migrated=False) as installation:
        click.echo(f"{migrations.current(installation.engine) or 'empty'} (newest: {migrations.newest()})")


@click.group()
def operator() -> None:
    """Accounts of the console."""


@operator.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(list(ROLES)), required=True)
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
def operator_add(name: str, role: str, password_stdin: bool) -> None:
    """Make the account NAME."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else _ask_password()
    with opened(keyed_settings()) as installation, installation.transaction("cli") as session:
        accounts.add_operator(session, name, role, password)
    click.echo(f"account {name} made, as {role}", err=True)


@operator.command("login")
@click.argument("name")
def operator_login(name: str) -> None:
    """Print a one-time login link for the account NAME, good for 15 minutes."""
    settings = keyed_settings()
    with opened(settings) as installation, installation.transaction("cli") as session:
        click.echo(f"{settings.public_url or ''}/console/login/{accounts.one_time_login(session, name)}")


@operator.command("reset-two-step")
@click.argument("name")
def operator_reset_two_step(name: str) -> None:
    """Forget the authenticator and recovery codes of the account NAME, whose owner lost both."""
    with opened(keyed_settings()) as installation, installation.transaction("cli") as session:
        found = accounts.find_operator(session, name)
        if found is None:
            raise Refusal(f"there is no operator named {name}")
        twostep.switch_off(session, found)
    click.echo(f"two-step login of {name} is off", err=True)


@click.group()
def apikey() -> None:
    """Keys of the REST API."""


@apikey.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="Such as orders:write; `all` for every scope.")
def apikey_create(name: str, scopes: tuple[str, ...]) -> None:
    """Make a key and print it, once, alone on standard output."""
    with opened(keyed_settings()) as installation:
        with installation.transaction("cli") as session:
            key = keys.create_api_key(session, name, scopes)
        unknown = sorted({*scopes} - {"all"} - known_scopes(create_app(installation)))
    if unknown:
        click.echo(f"fugou: nothing here asks for {', '.join(unknown)}; is it misspelt?", err=True)
    click.echo(key)


@apikey.command("list")
def apikey_list() -> None:
    """Print the keys, a line each: name, scopes, since when, and until when where it was revoked; never the key."""
    with opened(keyed_settings()) as installation, installation.transaction("cli") as session:
        for key in keys.api_keys(session):
            over = f"revoked {rfc3339(key.revoked_at)}" if key.revoked_at else "in use"
            click.echo("\t".join((key.name, ",".join(key.scopes), rfc3339(key.created_at), over)))


@apikey.command("revoke")
@click.argument("name")
def apikey_revoke(name: str) -> None:
    """End every key called NAME; requests with it are refused from now on."""
    with opened(keyed_settings()) as installation, installation.transaction("cli") as session:
        ended = keys.revoke_api_keys(session, name)
    click.echo(f"keys called {name} revoked now: {ended}", err=True)


def known_scopes(app: Flask) -> set[str]:
    """The scopes that the routes of the API ask for."""
    api = [rule.endpoint for rule in app.url_map.iter_rules() if rule.rule.startswith("/api/")]
    return {permission for endpoint in api if (permission := permission_of(app.view_functions[endpoint]))}


def _ask_password() -> str:
    if not sys.stdin.isatty():
        raise Refusal("there is no terminal to ask for the password; give it by --password-stdin")
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
