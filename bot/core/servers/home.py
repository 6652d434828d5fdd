"""Where the private servers live: folders, the system user they run as, and binaries that user can reach."""

import fcntl
import hashlib
import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from bot.core.errors import Refusal

SOCKET_PATH_LIMIT = 100  # bytes; the kernel's own limit is 107 on Linux and 103 on macOS
LONGEST_SOCKET_NAME = ".s.PGSQL.5432"
TURN_LIMIT = 120.0  # seconds one command may take to start or stop the servers before another gives up waiting


class ServerTrouble(Refusal):
    """A private server can't be started, reached or stopped; the sentence says why and where its log is."""


class User(NamedTuple):
    """A system user servers run as."""

    name: str
    uid: int
    gid: int


@dataclass(frozen=True)
class Home:
    """The part of `DATA_DIR` the servers of one installation share.

    data: the resolved `DATA_DIR`, which exists. fast: give up durability for speed; for tests.
    """

    data: Path
    fast: bool = False

    @property
    def run(self) -> Path:
        return self.data / "run"

    @cached_property
    def user(self) -> User | None:
        """Whom servers run as when we are root, which PostgreSQL refuses to be; None: whoever we are.

        The owner of an existing cluster stays its owner, else `postgres`, else `nobody`.
        """
        if os.geteuid() != 0:
            return None
        cluster = self.data / "postgres"
        if cluster.exists():
            owner = cluster.stat()
            return User(f"number {owner.st_uid}", owner.st_uid, owner.st_gid)
        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        for name in ("postgres", "nobody"):
            if name in known:
                return User(name, known[name].pw_uid, known[name].pw_gid)
        raise ServerTrouble("PostgreSQL refuses to run as root and this system has neither a user postgres nor nobody")

    @cached_property
    def sockets(self) -> Path:
        """The folder of the Unix sockets: in `run`, or a short one under /tmp where that path would be too long."""
        own = self.run / "sockets"
        if len(os.fsencode(own / LONGEST_SOCKET_NAME)) < SOCKET_PATH_LIMIT:
            return own
        digest = hashlib.sha256(os.fsencode(self.data)).hexdigest()[:12]
        return Path(f"/tmp/fugou-{os.geteuid()}-{digest}")  # noqa: S108  # `make_sockets` checks whose it is

    def make(self) -> None:
        """Make the folders. Raises ServerTrouble where the servers' user can't reach them."""
        try:
            for folder in (self.data, self.run):
                if not folder.exists():
                    folder.mkdir(parents=True)
                    folder.chmod(0o711 if self.user else 0o700)
        except OSError as error:
            raise ServerTrouble(f"FUGOU_DATA_DIR {self.data} can't be made: {error.strerror}") from None
        if self.user and not self.reaches(self.run):
            raise ServerTrouble(
                f"FUGOU_DATA_DIR {self.data} can't be reached by the user {self.user.name}, as whom PostgreSQL runs "
                "when fugou is root; choose a folder whose parents are all open to that user"
            )

    def make_sockets(self) -> None:
        """Make the folder of the sockets. Raises ServerTrouble where somebody else made it first."""
        self.own(self.sockets)
        if not self._is_ours(self.sockets):
            raise ServerTrouble(f"{self.sockets} is not a folder of ours alone; remove it")

    def remove_sockets(self) -> None:
        """Leave nothing behind once no server runs."""
        if self._is_ours(self.sockets):
            shutil.rmtree(self.sockets)

    def _is_ours(self, folder: Path) -> bool:
        try:
            found = folder.lstat()
        except FileNotFoundError:
            return False
        owner = self.user.uid if self.user else os.geteuid()
        return stat.S_ISDIR(found.st_mode) and found.st_uid == owner and stat.S_IMODE(found.st_mode) == 0o700

    def own(self, folder: Path) -> None:
        """Make `folder` where it is missing, with mode 0700 and of the servers' user."""
        if not folder.exists():
            folder.mkdir(mode=0o700)
            if self.user:
                os.chown(folder, self.user.uid, self.user.gid)

    def reaches(self, path: Path) -> bool:
        """Can the servers' user execute, or enter, `path`?"""
        return self.execute(["test", "-x", str(path)]).returncode == 0

    def execute(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        """Run a short command as the servers' user and capture what it says."""
        return subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **self.process_options()
        )

    def process_options(self) -> dict[str, Any]:
        """Arguments of `subprocess`: the servers' user, and an environment free of PG… variables and our secrets."""
        options: dict[str, Any] = {
            "cwd": "/", "stdin": subprocess.DEVNULL,
            "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        }  # fmt: skip
        if self.user:
            options |= {"user": self.user.uid, "group": self.user.gid, "extra_groups": []}
        return options

    @contextmanager
    def turn(self) -> Iterator[None]:
        """One command at a time starts or stops servers. Raises ServerTrouble after `TURN_LIMIT` seconds."""
        deadline = time.monotonic() + TURN_LIMIT
        with lock_file(self.run / "turn") as fd:
            while not try_lock(fd, fcntl.LOCK_EX):
                if time.monotonic() > deadline:
                    raise ServerTrouble(f"another command has kept {self.run / 'turn'} locked for {TURN_LIMIT:.0f} s")
                time.sleep(0.02)
            yield


@contextmanager
def lock_file(path: Path) -> Iterator[int]:
    """A file descriptor for `flock`; closing it, as the kernel does for a killed process, gives the lock back."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ServerTrouble(f"{path} can't be opened: {error.strerror}") from None
    try:
        yield fd
    finally:
        os.close(fd)


def try_lock(fd: int, kind: int) -> bool:
    """`flock` without waiting; False where another holds it."""
    try:
        fcntl.flock(fd, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def wheel_binary(home: Home, package: str, distribution: str, inside: str) -> Path | None:
    """The program `inside` (a path in the package `package`), where the servers' user can run it; None without it.

    A virtual environment below a closed folder such as /root is out of that user's reach: then the package and its
    neighbour `<package>.libs` are copied once to /var/tmp.
    """
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        return None
    source = Path(spec.submodule_search_locations[0])
    if not (source / inside).exists():
        return None
    if home.reaches(source / inside):
        return source / inside
    version = importlib.metadata.version(distribution)
    copy = Path(f"/var/tmp/fugou-{os.geteuid()}-{distribution}-{version}")  # noqa: S108  # checked below
    if not copy.exists():
        _copy_whole([source, source.with_name(f"{package}.libs")], copy)
    found = copy.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o022:
        raise ServerTrouble(f"{copy} is not ours alone, so its programs can't be trusted; remove it")
    return copy / package / inside


def _copy_whole(folders: list[Path], target: Path) -> None:
    """Copy beside the target and rename, so that a copy cut short is never taken for a whole one."""
    fresh = Path(tempfile.mkdtemp(prefix=".fugou-", dir=target.parent))
    for folder in folders:
        if folder.exists():
            shutil.copytree(folder, fresh / folder.name, symlinks=True)
    fresh.chmod(0o755)
    fresh.rename(target)
