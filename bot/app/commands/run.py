"""`up`, `web`, `worker`, `scheduler`: an installation at work, whole or part by part."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click

from bot.app import serve
from bot.app.house import check_schema, joined
from bot.app.parts import ALL, WORKER, part, web_part
from bot.app.supervisor import Supervisor
from bot.app.worker import until_told
from bot.core import log
from bot.core import settings as fugou_settings
from bot.core.installation import Installation
from bot.core.servers import Servers, private_servers
from bot.core.settings import WECOM_NEEDED
from bot.operators import accounts

POOL = 2  # connections of a process that only starts others


def serving(command: Callable[..., None]) -> Callable[..., None]:
    """The options of what serves HTTP."""
    options: list[Any] = [
        click.option("--host", default="127.0.0.1", show_default=True),
        click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one."),
        click.option("--workers", type=click.IntRange(1), default=serve.WORKERS, show_default=True, help="Processes."),
        click.option("--threads", type=click.IntRange(1), default=serve.THREADS, show_default=True, help="In each."),
    ]
    for option in reversed(options):
        command = option(command)
    return command


@click.command()
@serving
def up(host: str, port: int, workers: int, threads: int) -> None:
    """Web, worker and scheduler, supervised, on this machine."""
    stop = until_told()
    with _at_work("up") as (servers, installation), serve.reserved(host, port) as number:
        address = serve.url(host, number)
        parts = [web_part(host, number, installation.id, workers, threads), *map(part, ALL)]
        with Supervisor(parts, upkeep=servers.ensure):
            if serve.wait_ready(address, installation.id, stop):
                with installation.transaction("cli") as session:
                    token = accounts.one_time_login(session, "owner")
                click.echo(f"ready {address}\nlogin {address}/console/login/{token}")
                stop.wait()


@click.command()
@serving
def web(host: str, port: int, workers: int, threads: int) -> None:
    """The web part alone."""
    stop = until_told()
    with (
        serve.reserved(host, port) as number,
        _at_work("web") as (servers, installation),
        Supervisor([web_part(host, number, installation.id, workers, threads)], upkeep=servers.ensure),
    ):
        click.echo(f"serving {serve.url(host, number)}")
        stop.wait()


@click.command()
def worker() -> None:
    """Job lanes, and the hot lane in processes of its own."""
    _keep_running("worker", WORKER)


@click.command()
def scheduler() -> None:
    """Cron ticks, sweeps, partitions; any number may run, one is active."""
    _keep_running("scheduler", ("scheduler",))


def _keep_running(name: str, parts: Sequence[str]) -> None:
    stop = until_told()
    with _at_work(name) as (servers, _), Supervisor([*map(part, parts)], upkeep=servers.ensure):
        stop.wait()


@contextmanager
def _at_work(name: str) -> Iterator[tuple[Servers, Installation]]:
    """The servers and the installation, once every setting that work needs is there and the schema is ours."""
    settings = fugou_settings.load()
    settings.require("secret_key", *WECOM_NEEDED)
    log.configure(settings, name)
    with private_servers(settings) as servers, joined(settings, servers, pool_size=POOL) as installation:
        check_schema(installation)
        yield servers, installation
