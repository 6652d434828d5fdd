"""`bench`: the hot paths against frozen naive code and a limit measured on the spot."""

import sys
from pathlib import Path

import click

from bot.app.bench import harness


@click.command()
@click.argument("name", type=click.Choice(harness.BENCHES))
@click.option("--customers", type=click.IntRange(1_000), help="segments and rfm: over so many, instead of a million.")
@click.option("--shop", type=click.Path(file_okay=False, path_type=Path), help="segments and rfm: keep the servers' "
              "folder here, or use the one kept here, instead of seeding for minutes.")  # fmt: skip
def bench(name: str, customers: int | None, shop: Path | None) -> None:
    """Run a bench on private servers; its JSON is the last line. Exit 1 where an answer was wrong or a goal missed."""
    chosen = {key: value for key, value in {"customers": customers, "shop": shop}.items() if value is not None}
    if chosen and name not in harness.SEEDED:
        raise click.UsageError(f"--customers and --shop are for {' and '.join(harness.SEEDED)}")
    sys.exit(harness.run(name, **chosen))
