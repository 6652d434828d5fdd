"""`import`: customers, orders or points from a file, with a bar; rows that can't be taken go to FILE.rejected.csv."""

import csv
from collections.abc import Iterable
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from bot.app.house import keyed_settings, opened
from bot.core.errors import Refusal
from bot.core.installation import Installation
from bot.operators.exports import neutral
from tags.imports import keeping, kinds, service
from tags.imports.files import Sheet
from tags.imports.models import Import

ACTOR = "command"
BARS = 1_000


class BadMapping(Refusal):
    """`--map` names a field or a heading there is not."""


@click.command("import")
@click.argument("kind", type=click.Choice(["customers", "orders", "points"]))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would happen, change nothing.")
@click.option("--map", "maps", multiple=True, metavar="FIELD=HEADING", help="Which column a field is; may be repeated.")
def import_(kind: str, file: Path, dry_run: bool, maps: tuple[str, ...]) -> None:
    """Take customers, orders or points in from FILE, a CSV or an XLSX.

    Bad rows go to FILE.rejected.csv with a reason each, good ones are kept. Broken off, it goes on where it was when it
    is run again; run again after that, it changes nothing.
    """
    with opened(keyed_settings()) as installation:
        run(installation, kind, file, maps, dry_run=dry_run)


def run(
    installation: Installation, kind: str, file: Path, maps: Iterable[str] = (), *, dry_run: bool = False
) -> Import:
    """Import a file to its end and say what became of its rows."""
    sheet = keeping.opened(installation, file)
    row = _begun(installation, kind, file, sheet, maps, dry_run)
    _go_through(installation, row, sheet)
    with installation.transaction(ACTOR) as session:
        row = service.get(session, row.id)
        would = "would be " if dry_run else ""
        said = [f"{getattr(row, name):,} {would}{name}" for name in ("new", "changed", "same", "rejected")]
        click.echo(f"{row.read:,} rows: {', '.join(said)}")
        rejected = file.with_name(f"{file.name}.rejected.csv")
        if row.rejected == 0:
            rejected.unlink(missing_ok=True)
        else:
            with rejected.open("w", newline="", encoding="utf-8-sig") as target:
                writer = csv.writer(target)
                writer.writerow([*sheet.heads, "reason"])
                for cells, because in service.rejected_rows(session, row, sheet.path):
                    writer.writerow([neutral(cell) for cell in (*cells, because.words("en"))])
            click.echo(f"the rejected rows and why: {rejected}")
        return row


def _begun(
    installation: Installation, kind: str, file: Path, sheet: Sheet, maps: Iterable[str], dry_run: bool
) -> Import:
    """The import of this file: the one that was broken off, or a new one at its beginning."""
    with installation.transaction(ACTOR) as session:
        which = kinds.of_name(kind)
        mapping = kinds.guess(sheet.heads, which.fields(session))
        keys = [one.key for one in which.fields(session)]
        for given in maps:
            field, _, heading = given.partition("=")
            if field not in keys:
                raise BadMapping(f"--map {given}: there is no field {field}, expected one of {', '.join(keys)}")
            if heading not in sheet.heads:
                raise BadMapping(f"--map {given}: the file has no column {heading}, it has {', '.join(sheet.heads)}")
            mapping[field] = sheet.heads.index(heading)
        row = None if dry_run else service.unfinished(session, which, sheet, mapping)
        if row is None:
            row = service.add(session, which, file.name, sheet, mapping)
            service.begin(session, row, dry=dry_run)
        said = [f"{key} = {sheet.heads[at]}" for key, at in row.mapping.items()]
        click.echo(f"columns: {', '.join(said)}", err=True)
        return row


def _go_through(installation: Installation, row: Import, sheet: Sheet) -> None:
    """Chunk by chunk, each a transaction of its own; what can't go on says so where a page shows it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TextColumn("{task.fields[rows]}"),
               TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(row.name, total=BARS, rows="")
        more = True
        while more:
            try:
                with installation.transaction(ACTOR) as session:
                    more = service.chunk(session, row.id, sheet.path)
                    now = service.get(session, row.id)
                    done = f"{now.read:,} rows, {now.rejected:,} rejected"
                    bar.update(task, completed=BARS * service.share(now), rows=done)
            except Refusal as refusal:
                with installation.transaction(ACTOR) as session:
                    service.fail(session, str(refusal), import_id=row.id)
                raise
