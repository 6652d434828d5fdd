"""The private PostgreSQL and Valkey in `DATA_DIR`: started by the first command that needs them, stopped by the last.

Every command holds a shared `flock` on `run/lock` while it uses them; starting and stopping happen one command at a
time (`run/turn`); who leaves and finds nobody else on `run/lock` stops the servers. Locks die with their process, so
what kill -9 leaves behind is only servers, which the next start reuses or ends.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from bot.core.servers.daemon import Daemon
from bot.core.servers.home import Home, ServerTrouble, lock_file, try_lock
from bot.core.servers.postgres import Postgres
from bot.core.servers.valkey import Valkey
from bot.core.settings import Settings

__all__ = ["ServerTrouble", "Servers", "private_servers"]


@dataclass(frozen=True)
class Servers:
    """The addresses a command works with, and handles on those servers that are private (None: configured)."""

    database_url: str
    redis_url: str
    postgres: Postgres | None = None
    valkey: Valkey | None = None

    def ensure(self) -> None:
        """Start again a private server that died or hangs; costs two pings when all is well.

        Raises ServerTrouble where one does not start.
        """
        for daemon in (self.postgres, self.valkey):
            if daemon is not None:
                with daemon.home.turn():
                    daemon.ensure()

    def restart_postgres(self) -> None:
        """Stop the private PostgreSQL in order, cutting every connection, and start it again."""
        assert self.postgres is not None, "PostgreSQL is not private"
        with self.postgres.home.turn():
            self.postgres.stop()
            self.postgres.ensure()


@contextmanager
def private_servers(settings: Settings, *, fast: bool = False) -> Iterator[Servers]:
    """Start, or join, whichever of the two servers the settings do not name, and yield the addresses of both.

    fast: PostgreSQL gives up durability for speed; for tests, where no power cut is survived anyway.
    Raises ServerTrouble in one sentence where a server can't be had.
    """
    if settings.database_url and settings.redis_url:
        yield Servers(settings.database_url, settings.redis_url)
        return
    home = Home(settings.data_dir.resolve(), fast)
    home.make()
    postgres, valkey = Postgres(home), Valkey(home)
    needed: list[Daemon] = [
        *([] if settings.database_url else [postgres]),
        *([] if settings.redis_url else [valkey]),
    ]
    with lock_file(home.run / "lock") as presence:
        try:
            with home.turn():
                fcntl.flock(presence, fcntl.LOCK_SH)
                for daemon in needed:
                    daemon.ensure()
            yield Servers(
                settings.database_url or postgres.url,
                settings.redis_url or valkey.url,
                postgres if postgres in needed else None,
                valkey if valkey in needed else None,
            )
        finally:
            with home.turn():
                if try_lock(presence, fcntl.LOCK_EX):
                    for daemon in (postgres, valkey):
                        daemon.stop()
                    home.remove_sockets()
