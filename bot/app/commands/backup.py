"""`backup` and `restore`: one file with the database and the uploads, taken while the program runs.

The file is a tar: `manifest.json` (schema, when, by what), `database.dump` (pg_dump's custom format: one snapshot) and
`uploads/`. Personal data in it stays encrypted: reading it back needs the same FUGOU_SECRET_KEY.
"""

import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
from sqlalchemy import make_url, text

from bot import migrations
from bot.app.commands.verify import report
from bot.app.house import keyed_settings, opened, prepare
from bot.core import clock
from bot.core.errors import Refusal
from bot.core.installation import Installation
from bot.core.servers.home import Home
from bot.core.servers.postgres import Postgres

ENVIRONMENT = {"host": "PGHOST", "port": "PGPORT", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def backup(file: Path) -> None:
    """Write a consistent copy of database and uploads to FILE, while the program runs."""
    with opened(keyed_settings()) as installation:
        write(installation, file)
    click.echo(f"wrote {file}, {file.stat().st_size:,} bytes")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what the database holds.")
def restore(file: Path, force: bool) -> None:
    """Read FILE into an empty database, then verify it."""
    with opened(keyed_settings(), migrated=False) as installation:
        read(installation, file, force=force)
        if report(installation):
            raise Refusal(f"{file} is restored, and differs from its own records as printed above")


def write(installation: Installation, file: Path) -> None:
    """The copy, beside its place and then renamed, so that a copy cut short is never taken for a whole one."""
    about = {
        "schema": migrations.current(installation.engine), "installation": installation.id,
        "at": clock.now().isoformat(), "fugou": version("fugou"),
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        dump, manifest = Path(folder) / "database.dump", Path(folder) / "manifest.json"
        manifest.write_text(json.dumps(about))
        _run(installation, "pg_dump", "--format=custom", "--no-owner", f"--file={dump}")
        fresh = file.with_name(file.name + ".part")
        with tarfile.open(fresh, "w") as tar:
            for each in (manifest, dump):
                tar.add(each, each.name)
            if _uploads(installation).exists():
                tar.add(_uploads(installation), "uploads")
        fresh.chmod(0o600)
        os.replace(fresh, file)


def read(installation: Installation, file: Path, *, force: bool) -> None:
    """Put a copy back and bring its schema up to this program's.

    Raises Refusal where the database is not empty (without `force`), or the file is not a backup.
    """
    with tempfile.TemporaryDirectory() as folder:
        try:
            with tarfile.open(file) as tar:
                tar.extractall(folder, filter="data")
            about: dict[str, Any] = json.loads((Path(folder) / "manifest.json").read_text())
        except (tarfile.TarError, OSError, ValueError) as error:
            raise Refusal(f"{file} is not a backup of fugou: {error}") from None
        if str(about["schema"]) > migrations.newest():
            raise Refusal(f"{file} is of schema {about['schema']}, newer than this program's {migrations.newest()}")
        with installation.engine.begin() as connection:
            query = (
                "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
            )
            if connection.execute(text(query)).scalar():
                if not force:
                    raise Refusal("the database is not empty; --force replaces what it holds")
                connection.execute(text("DROP SCHEMA public CASCADE"))
                connection.execute(text("CREATE SCHEMA public"))
        dump = str(Path(folder) / "database.dump")
        options = ("--no-owner", "--exit-on-error", "--single-transaction", f"--dbname={_name(installation)}")
        _run(installation, "pg_restore", *options, dump)
        if (Path(folder) / "uploads").exists():
            shutil.copytree(Path(folder) / "uploads", _uploads(installation), dirs_exist_ok=True)
    prepare(installation)


def _run(installation: Installation, program: str, *arguments: str) -> None:
    """Run a client of PostgreSQL; address and password go by the environment, where no process list shows them."""
    own = Postgres(Home(installation.settings.data_dir.resolve(), False)).binaries / program
    path = shutil.which(program) if installation.settings.database_url else None
    url = make_url(installation.database_url)
    env = {"PGDATABASE": url.database, "PGUSER": url.username, "PGPASSWORD": url.password, "PGHOST": url.host}
    env |= {"PGPORT": str(url.port) if url.port else None}
    env |= {ENVIRONMENT[name]: str(value) for name, value in url.query.items() if name in ENVIRONMENT}
    given = {name: value for name, value in env.items() if value}
    done = subprocess.run(
        [path or str(own), *arguments], env={**os.environ, **given}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Refusal(f"{program} failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no word'}")


def _name(installation: Installation) -> str:
    return make_url(installation.database_url).database or ""


def _uploads(installation: Installation) -> Path:
    return installation.settings.data_dir.resolve() / "uploads"
