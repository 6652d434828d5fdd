"""A Redis of the run's own, and what it looks like while it is away."""

import itertools
import os
from collections.abc import Iterator

import pytest
from redis import Redis

from bot.core.servers import Servers
from bot.wecom.shared import Shared

_numbers = itertools.count()


@pytest.fixture
def redis(servers: Servers) -> Iterator[Redis]:
    client = Redis.from_url(servers.redis_url, decode_responses=True)
    yield client
    client.close()


@pytest.fixture
def prefix() -> str:
    """The key prefix of one installation."""
    return f"{{test:{os.getpid()}:{next(_numbers)}}}:"


@pytest.fixture
def no_redis() -> Redis:
    return Redis.from_url("unix:///nowhere/redis.sock", decode_responses=True)


@pytest.fixture
def processes(redis: Redis, prefix: str) -> tuple[Shared, Shared]:
    """What two processes of one installation share."""
    return Shared(redis, prefix), Shared(redis, prefix)
