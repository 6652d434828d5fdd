"""One installation: its settings, database, Redis and identity, handed to every part instead of being global.

A session knows its installation, who acts and what to do once the commit stands:

    with installation.transaction("operator:12") as session:
        service.adjust(session, …)
        hint(session, "hot")
"""

import contextlib
import uuid
from collections.abc import Callable, Iterator
from copy import copy
from functools import cached_property
from typing import Any

import redis
import structlog
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, SessionTransaction, sessionmaker

from bot.core import clock, db
from bot.core.crypto import Vault
from bot.core.settings import Settings

log = structlog.get_logger(__name__)


class Installation:
    """Settings, engine, Redis and the id that tells this installation from its neighbours.

    database_url, redis_url: the addresses in use (the settings' own, or those of the private servers).
    """

    def __init__(self, settings: Settings, database_url: str, redis_url: str, pool_size: int = 10) -> None:
        self.settings = settings
        self.database_url, self.redis_url = database_url, redis_url
        self.engine: Engine = db.connect(database_url, pool_size)
        self.redis = redis.Redis.from_url(
            redis_url, decode_responses=True, socket_timeout=5, socket_connect_timeout=2,
            retry=Retry(NoBackoff(), 1),  # the default tries ten times, a minute for each call to a Redis that hangs
        )  # fmt: skip
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)
        self.caches: dict[str, Any] = {}
        clock.follow(settings.run_dir / "clock" if settings.clock == "shared" else None)

    @cached_property
    def id(self) -> str:
        """The installation's id, a row of its own database: prefix of every Redis key, answer of `/healthz`."""
        with self.engine.connect() as connection:
            return str(connection.execute(text("SELECT id FROM installation")).scalar_one())

    @cached_property
    def vault(self) -> Vault:
        """Encrypts and looks up personal data with the data key. Raises BadSettings without SECRET_KEY."""
        self.settings.require("secret_key")
        with self.engine.connect() as connection:
            sealed = connection.execute(text("SELECT data_key FROM installation")).scalar_one()
        return Vault.unseal(sealed, self.settings)

    @contextlib.contextmanager
    def transaction(self, actor: str, lane: str = "") -> Iterator[Session]:
        """A session that commits at the end of the block and rolls back on an error.

        actor: who acts, kept with each event (G4), as `kind:id`: `operator:12`, `api:3`, `callback:881`, `job:expire`.
        lane: which lane runs it; that one looks at its tables afterwards without a hint.
        """
        with self._sessions() as session:
            session.info.update(installation=self, actor=actor, lane=lane, after_commit={})
            with session.begin():
                yield session
        for step in session.info["after_commit"].values():
            step()

    @contextlib.contextmanager
    def moment(self) -> Iterator[Session]:
        """A session that only reads, and sees everything as it was at its first statement.

        It has a connection of its own: whoever holds a connection of the pool may wait for somebody who reads by this.
        """
        with Session(self._reader) as session:
            session.info.update(installation=self, actor="system", lane="", after_commit={})
            yield session

    @cached_property
    def _reader(self) -> Engine:
        engine = db.connect(self.database_url, pool_size=1)
        return engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)

    def key(self, name: str) -> str:
        """`name` as a Redis key of this installation; the braces keep its keys on one node of a cluster."""
        return f"{{fugou:{self.id}}}:{name}"

    def wake(self, lane: str) -> None:
        """Hint that `lane` has work. A lost hint costs time, never work: the lane also sweeps its table."""
        try:
            key = self.key(f"wake:{lane}")
            with self.redis.pipeline(transaction=False) as pipe:
                pipe.lpush(key, 1)
                pipe.ltrim(key, 0, 63)
                pipe.execute()
        except redis.RedisError as error:
            log.warning("hint lost", lane=lane, error=str(error))

    def wait(self, lane: str, seconds: float) -> bool:
        """Wait for a hint for at most `seconds`; True if one came. Without Redis it just waits."""
        try:
            return self.redis.blpop([self.key(f"wake:{lane}")], timeout=seconds) is not None
        except redis.RedisError:
            return False

    def close(self) -> None:
        self.engine.dispose()
        if "_reader" in vars(self):
            self._reader.dispose()
        self.redis.close()


def installation_of(session: Session) -> Installation:
    """The installation a session belongs to."""
    installation: Installation = session.info["installation"]
    return installation


def after_commit(session: Session, step: Callable[[], object], name: object = None) -> None:
    """Run `step` once this session's transaction stands; for hints and caches only, since a crash may skip it.

    name: of several steps with one name the last is run.
    """
    session.info["after_commit"][name or object()] = step


def hint(session: Session, lane: str) -> None:
    """Wake `lane` once this session's transaction stands."""
    if lane != session.info["lane"]:
        after_commit(session, lambda: installation_of(session).wake(lane), ("hint", lane))


@contextlib.contextmanager
def savepoint(session: Session) -> Iterator[SessionTransaction]:
    """A part of a transaction that is taken back alone where it fails, or by `rollback` of what this yields.

    What the session noted meanwhile goes with its rows: locks, steps for after the commit, rows that were just made.
    """
    noted = {name: copy(value) for name, value in session.info.items() if isinstance(value, (dict, list))}
    stands = False
    try:
        with session.begin_nested() as point:
            yield point
            stands = point.is_active
    finally:
        for name, value in session.info.items() if not stands else ():
            if isinstance(value, dict):
                value.clear()
                value.update(noted.get(name, {}))
            elif isinstance(value, list):
                value[:] = noted.get(name, [])


def create_identity(session: Session, settings: Settings) -> None:
    """Give a migrated database its id and its data key, sealed under SECRET_KEY; a second call changes nothing."""
    settings.require("secret_key")
    session.execute(
        text("INSERT INTO installation (id, created_at, data_key) VALUES (:id, :at, :key) ON CONFLICT DO NOTHING"),
        {"id": uuid.uuid4(), "at": clock.now(), "key": Vault.new_key(settings)},
    )
