"""`bench`: the hot paths against frozen naive code and a limit measured on the spot."""

import sys

import click

from bot.app.bench import harness


@click.command()
@click.argument("name", type=click.Choice(harness.BENCHES))
def bench(name: str) -> None:
    """Run a bench on private servers; its JSON is the last line. Exit 1 where an answer was wrong or a goal missed."""
    sys.exit(harness.run(name))
