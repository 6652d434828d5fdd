"""`/healthz`, `/readyz`, `/metrics`: alive, able to work, and in numbers."""

import os

import redis
from flask import Blueprint, Flask, Response, jsonify
from prometheus_client import CONTENT_TYPE_LATEST, Gauge, generate_latest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot import migrations
from bot.web.edge import installation, session
from bot.web.guard import PUBLIC, needs
from bot.wecom import inbox, outbox

OLDEST_SECONDS = 300  # a queue older than this means that nothing is being worked on

blueprint = Blueprint("health", __name__)
queue_age = Gauge("fugou_inbox_oldest_seconds", "Seconds since the oldest undone callback came in")
outgoing = Gauge("fugou_outbox_rows", "Outgoing calls by state", ["state"])


def install(app: Flask) -> None:
    """Add the three addresses to `app`."""
    app.register_blueprint(blueprint)


@blueprint.get("/healthz")
@needs(PUBLIC)
def alive() -> Response:
    return jsonify(installation=installation().id, pid=os.getpid())


@blueprint.get("/readyz")
@needs(PUBLIC)
def ready() -> tuple[Response, int]:
    """200 when callbacks can be kept and worked on, else 503; each part by name either way."""
    parts = {"database": _database(), "redis": _redis(), "queue": "not looked at"}
    if parts["database"] == "ok":
        age = inbox.oldest_wait(session())
        parts["queue"] = "ok" if age < OLDEST_SECONDS else f"the oldest callback has waited {age:.0f} s"
    good = parts["database"] == "ok"  # without Redis it is slower, and goes on
    return jsonify(ready=good, **parts), 200 if good else 503


@blueprint.get("/metrics")
@needs(PUBLIC)
def metrics() -> Response:
    queue_age.set(inbox.oldest_wait(session()))
    for state, count in outbox.counts(session()).items():
        outgoing.labels(state).set(count)
    return Response(generate_latest(), content_type=CONTENT_TYPE_LATEST)


def _database() -> str:
    try:
        with installation().engine.connect() as connection:
            at = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except SQLAlchemyError as error:
        return f"not reached: {type(error).__name__}"
    return "ok" if at == migrations.newest() else f"at schema {at}, this program expects {migrations.newest()}"


def _redis() -> str:
    try:
        installation().redis.ping()
    except redis.RedisError as error:
        return f"not reached: {type(error).__name__}"
    return "ok"
