"""`init`, `db`, `operator`, `apikey`: making an installation and who may use it."""

import secrets
import sys
from pathlib import Path

import click
from sqlalchemy.orm import Session

from bot import migrations
from bot.app.house import keyed_settings, opened, prepare
from bot.core import settings as fugou_settings
from bot.core.errors import Refusal
from bot.operators import accounts, keys
from bot.operators.roles import ROLES

ENV = """\
# Settings of this Fugou installation; every one is explained in docs/settings.md.
FUGOU_SECRET_KEY={secret_key}
# The address at which customers and WeCom reach it:
FUGOU_PUBLIC_URL={public_url}
# From WeCom's admin console (我的企业; 应用管理, your app; its 接收消息):
FUGOU_WECOM_CORP_ID=
FUGOU_WECOM_AGENT_ID=
FUGOU_WECOM_APP_SECRET=
FUGOU_WECOM_CALLBACK_TOKEN=
FUGOU_WECOM_CALLBACK_AES_KEY=
# Left empty, a private PostgreSQL and Valkey live in FUGOU_DATA_DIR:
#FUGOU_DATABASE_URL=postgresql+psycopg://user:password@host/fugou
#FUGOU_REDIS_URL=redis://host/0
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
        url = settings.public_url or ("" if yes else click.prompt("Public address", default=""))
        file.write_text(ENV.format(secret_key=secrets.token_urlsafe(32), public_url=url))
        file.chmod(0o600)
        click.echo(f"wrote {file}; fill in what is empty there")
        settings = fugou_settings.load()
    with opened(settings, migrated=False) as installation:
        prepare(installation)
        click.echo(f"database at schema {migrations.current(installation.engine)}")
        with installation.transaction("cli") as session:
            click.echo(_owner(session, settings))


def _owner(session: Session, settings: fugou_settings.Settings) -> str:
    """Make the account `owner` where there is none, and say how to get in."""
    if accounts.find_operator(session, "owner") is not None:
        return "the account owner exists already"
    password = settings.owner_password.get_secret_value() if settings.owner_password else None
    accounts.add_operator(session, "owner", "owner", password)
    if password is not None:
        return "account owner made, with the password of FUGOU_OWNER_PASSWORD"
    link = f"{settings.public_url or ''}/console/login/{accounts.one_time_login(session, 'owner')}"
    return f"first login, within {accounts.LINK_MINUTES} minutes (later: fugou operator login owner): {link}"


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


@db.command()
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


@click.group()
def apikey() -> None:
    """Keys of the REST API."""


@apikey.command("create")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, required=True, help="Such as orders:write; `all` for every scope.")
def apikey_create(name: str, scopes: tuple[str, ...]) -> None:
    """Make a key and print it, once, alone on standard output."""
    with opened(keyed_settings()) as installation, installation.transaction("cli") as session:
        key = keys.create_api_key(session, name, scopes)
    click.echo(key)


def _ask_password() -> str:
    password: str = click.prompt("Password", hide_input=True, confirmation_prompt=True)
    return password
