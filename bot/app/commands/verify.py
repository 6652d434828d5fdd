"""`verify`: every invariant recomputed from the records."""

import sys

import click

from bot.app.house import keyed_settings, opened
from bot.core.checks import checks
from bot.core.installation import Installation


@click.command()
def verify() -> None:
    """Recompute every invariant from the records; print what differs, exit 1 if anything does."""
    with opened(keyed_settings()) as installation:
        sys.exit(1 if report(installation) else 0)


def report(installation: Installation) -> int:
    """Print a line for each check and each difference; returns how many differences there are."""
    found = 0
    for check in checks:
        with installation.transaction("verify") as session:
            differences = list(check.run(session))
        click.echo(f"{'ok  ' if not differences else 'BAD '} {check.name}")
        for difference in differences:
            click.echo(f"     {difference}")
        found += len(differences)
    return found
