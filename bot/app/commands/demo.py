"""`demo`: everything on one machine with no settings and no network."""

import sys
import threading
from pathlib import Path

import click

from bot.app.commands.verify import report
from bot.app.demo import stage, story
from bot.app.worker import until_told
from bot.core import log
from bot.core import settings as fugou_settings


@click.command()
@click.option("--port", type=click.IntRange(0, 65535), default=8000, show_default=True, help="0: any free one.")
@click.option("--customers", type=click.IntRange(0, 5000), default=60, show_default=True, help="People in the shop.")
@click.option("--seed", type=int, default=1, show_default=True, help="Another seed, another crowd.")
@click.option("--data", type=click.Path(file_okay=False, path_type=Path), help="Keep everything in this folder.")
@click.option(
    "--speed", type=click.FloatRange(0.1, 10_000), default=1.0, show_default=True, help="Of the crowd's time."
)
@click.option("--smoke", is_flag=True, help="Play one customer's story to its end, check each step, and leave.")
def demo(port: int, customers: int, seed: int, data: Path | None, speed: float, smoke: bool) -> None:
    """A whole installation with a simulated WeCom, a seeded shop, and customers who act."""
    log.configure(fugou_settings.load(_env_file=None), "demo")
    stop = until_told()
    with stage.open_demo(0 if smoke else port, None if smoke else customers, seed, data, stop) as running:
        if smoke:
            sys.exit(_smoke(running))
        click.echo("\n".join(running.lines))
        threads = [
            threading.Thread(target=stage.watch, args=(running, stop)),
            threading.Thread(target=stage.crowd, args=(running, seed, speed, stop)),
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join()


def _smoke(running: stage.Demo) -> int:
    try:
        for line in story.play(running.api, running.phone):
            click.echo(line)
    except story.StepFailed as failed:
        click.echo(f"FAIL  {failed}", err=True)
        return 1
    return 1 if report(running.installation) else 0
