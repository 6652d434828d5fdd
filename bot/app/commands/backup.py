"""`backup` and `restore`: one file with the database and the uploads, taken while the program runs.

The file is a tar: `manifest.json` (schema, when, by what; the sealed data key; the dump's SHA-256), `database.dump`
(pg_dump's custom format: one snapshot) and `uploads/`. Personal data in it stays encrypted: reading it back needs the
same FUGOU_SECRET_KEY. Files sent to be imported are left out, since they hold phone numbers in clear; in the restored
shop an import that still needed its file fails and says so.
"""

import base64
import contextlib
import hashlib
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import IO, Any

import click
from sqlalchemy import make_url, text

from bot import migrations
from bot.app.commands.verify import report
from bot.app.house import keyed_settings, opened, prepare
from bot.core import clock
from bot.core.crypto import Vault
from bot.core.errors import Refusal
from bot.core.installation import Installation
from bot.core.servers.home import Home
from bot.core.servers.postgres import Postgres
from bot.core.settings import BadSettings

OF_THIS_SERVER = ("membership_changes", "leaf_snapshots")  # they count this server's transactions
ENVIRONMENT = {"host": "PGHOST", "port": "PGPORT", "sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
MANIFEST, DUMP, UPLOADS = "manifest.json", "database.dump", "uploads"


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True, path_type=Path))
def backup(file: Path) -> None:
    """Write a consistent copy of database and uploads to FILE, while the program runs."""
    with opened(keyed_settings(), migrated=False) as installation:  # before `db upgrade` is when one wants a copy
        write(installation, file)
    click.echo(f"wrote {file}, {file.stat().st_size:,} bytes; reading it back needs the same FUGOU_SECRET_KEY")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Replace what the database holds.")
def restore(file: Path, force: bool) -> None:
    """Read FILE into an empty database, then verify it.

    The copy takes the place of the installation it was made from: run one of the two, else both answer its customers.
    """
    with opened(keyed_settings(), migrated=False) as installation:
        about = read(installation, file, force=force)
        click.echo(f"restored the copy of {about['at']}, schema {about['schema']}, now {migrations.newest()}")
        if report(installation):
            raise Refusal(f"{file} is restored, and differs from its own records as printed above")


def write(installation: Installation, file: Path) -> None:
    """The copy, made beside its place and then renamed, so that one cut short is never taken for a whole one.

    Raises Refusal where there is nothing to copy, or the file can't be written.
    """
    schema = migrations.current(installation.engine)
    if schema is None:
        raise Refusal("the database is empty, so there is nothing to back up; run: fugou init")
    with installation.engine.connect() as connection:
        sealed = connection.execute(text("SELECT data_key FROM installation")).scalar_one()
    about = {
        "schema": schema, "installation": installation.id, "at": clock.now().isoformat(), "fugou": version("fugou"),
        "data_key": base64.b64encode(sealed).decode(),
    }  # fmt: skip
    try:
        with tempfile.TemporaryDirectory(prefix=f"{file.name}.", suffix=".part", dir=file.parent) as name:
            folder = Path(name)
            options = ("--format=custom", "--schema=public", "--no-owner", "--no-privileges",
                       *(f"--exclude-table-data={table}" for table in OF_THIS_SERVER))  # fmt: skip
            _run(installation, "pg_dump", *options, f"--file={folder / DUMP}")
            (folder / MANIFEST).write_text(json.dumps({**about, "sha256": _digest(folder / DUMP)}))
            with (folder / "whole").open("wb") as whole:
                _pack(whole, folder, _uploads(installation))
                os.fsync(whole.fileno())
            (folder / "whole").chmod(0o600)
            os.replace(folder / "whole", file)
    except OSError as error:
        raise Refusal(f"{file} can't be written: {error.strerror}") from None


def read(installation: Installation, file: Path, *, force: bool) -> dict[str, Any]:
    """Put a copy back and bring its schema up to this program's; returns its manifest.

    Whole or not at all: until all is there, the database holds what it held. Raises Refusal where it holds something
    (without `force`) or is in use, and where the file is not a whole backup, or is of a newer program or another key.
    """
    data = installation.settings.data_dir.resolve()
    data.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="restore.", dir=data) as name, _opened(file) as tar:
        tar.extract(MANIFEST, name, filter="data")
        about: dict[str, Any] = json.loads((Path(name) / MANIFEST).read_text())
        _check_readable(installation, file, about)
        _check_free(installation, force)
        tar.extract(DUMP, name, filter="data")
        if _digest(Path(name) / DUMP) != about["sha256"]:
            raise Refusal(f"{file} is damaged: its {DUMP} is not the one that was written")
        tar.extractall(data, [one for one in tar if one.name.startswith(f"{UPLOADS}/")], filter="data")
        _load(installation, Path(name) / DUMP)
    prepare(installation)
    return about


def _pack(whole: IO[bytes], folder: Path, uploads: Path) -> None:
    """The uploads after the dump: a file is there before its row is, so each row of the dump has its file."""
    with tarfile.open(fileobj=whole, mode="w") as tar:
        for name in (MANIFEST, DUMP):
            tar.add(folder / name, name)
        for path in sorted(uploads.rglob("*")):
            with contextlib.suppress(FileNotFoundError):  # one that is being uploaded has a passing name
                tar.add(path, f"{UPLOADS}/{path.relative_to(uploads)}", recursive=False)


@contextlib.contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    """Raises Refusal where something in the block shows that the file is no whole backup."""
    try:
        with tarfile.open(file, "r:") as tar:
            yield tar
    except (tarfile.TarError, EOFError, KeyError, ValueError) as error:
        raise Refusal(f"{file} is not a whole backup of fugou: {error}") from None
    except OSError as error:
        raise Refusal(f"{file} can't be restored: {error}") from None


def _check_readable(installation: Installation, file: Path, about: dict[str, Any]) -> None:
    if str(about["schema"]) > migrations.newest():
        raise Refusal(f"{file} is of schema {about['schema']}, newer than this program's {migrations.newest()}")
    try:
        Vault.unseal(base64.b64decode(about["data_key"]), installation.settings)
    except BadSettings:
        raise Refusal(
            f"{file} was made with another FUGOU_SECRET_KEY, so its personal data can't be read; put that key into "
            "FUGOU_SECRET_KEY (or FUGOU_SECRET_KEY_OLD while keys rotate). Nothing was changed"
        ) from None


def _check_free(installation: Installation, force: bool) -> None:
    tables = "SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p')"
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
    with installation.engine.connect() as connection:
        if connection.execute(text(tables)).scalar() and not force:
            raise Refusal("the database is not empty; --force replaces what it holds. Nothing was changed")
        if connection.execute(text(others)).scalar():
            raise Refusal("the database is in use; stop `fugou up` and what else uses it first. Nothing was changed")


# What waited when the copy was made may have been sent since: it is settled as a call whose process died, by asking
# WeCom where it can be asked, and else shown to an operator (B3).
DOUBTED = """
UPDATE public.outbox SET state = 'sending', sending_at = created_at, error = 'it waited when the copy was made'
WHERE state = 'waiting' AND not_before <= '{now}';
"""


def _load(installation: Installation, dump: Path) -> None:
    """Put the dump into the place of what there is, in one transaction: who dies before COMMIT has changed nothing."""
    options = ("--no-owner", "--no-privileges", "--file=-", str(dump))
    from_dump, env = _client(installation, "pg_restore", *options)
    into, _ = _client(installation, "psql", "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1")
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(into, env=env, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said) as psql,
        subprocess.Popen(from_dump, env=env, stdout=subprocess.PIPE, stderr=said) as source,
    ):
        assert psql.stdin is not None
        assert source.stdout is not None
        with contextlib.suppress(BrokenPipeError):  # psql has said why it ended
            psql.stdin.write(b"BEGIN; SET client_min_messages = error; DROP SCHEMA public CASCADE;\n")
            shutil.copyfileobj(source.stdout, psql.stdin)
            psql.stdin.write(DOUBTED.format(now=clock.now().isoformat()).encode())
            psql.stdin.write(b"COMMIT;\n" if source.wait() == 0 else b"ROLLBACK;\n")
        with contextlib.suppress(BrokenPipeError):
            psql.stdin.close()
        if psql.wait() or source.poll() != 0:
            said.seek(0)
            raise Refusal(f"the dump could not be read back: {_first(said.read())}")


def _run(installation: Installation, program: str, *arguments: str) -> None:
    command, env = _client(installation, program, *arguments)
    done = subprocess.run(command, env=env, stderr=subprocess.PIPE, check=False)  # kills it when we are told to end
    if done.returncode:
        raise Refusal(f"{program} failed: {_first(done.stderr)}")


def _client(installation: Installation, program: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Command and environment of a client of PostgreSQL; the password is in the latter, which no process list shows."""
    own = Postgres(Home(installation.settings.data_dir.resolve(), False)).binaries / program
    path = shutil.which(program) if installation.settings.database_url else None
    url = make_url(installation.database_url)
    env = {"PGDATABASE": url.database, "PGUSER": url.username, "PGPASSWORD": url.password, "PGHOST": url.host}
    env |= {"PGPORT": str(url.port) if url.port else None}
    env |= {ENVIRONMENT[name]: str(value) for name, value in url.query.items() if name in ENVIRONMENT}
    return [path or str(own), *arguments], {**os.environ, **{name: value for name, value in env.items() if value}}


def _first(said: bytes) -> str:
    return next((line.strip() for line in said.decode(errors="replace").splitlines() if line.strip()), "no word")


def _digest(file: Path) -> str:
    with file.open("rb") as opened_file:
        return hashlib.file_digest(opened_file, "sha256").hexdigest()


def _uploads(installation: Installation) -> Path:
    return installation.settings.data_dir.resolve() / UPLOADS
