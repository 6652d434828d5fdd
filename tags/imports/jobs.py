"""Running an import that a page began, and removing files nobody needs."""

from sqlalchemy.orm import Session

from bot.core.errors import Refusal
from bot.core.installation import installation_of
from bot.core.jobs import Progress, chunked
from bot.core.ticks import cron
from tags.imports import keeping, service


@chunked(lock="import:{import_id}", failed=service.fail)
def go_through(session: Session, progress: Progress, *, import_id: int, dry: bool = False) -> bool:
    """Some rows of a file, checked (dry) or taken in; retried by hand it goes on where it failed."""
    row = service.get(session, import_id, lock=True)
    if row.state == "failed":
        row.state, row.error = "checking" if dry else "running", ""
    path = keeping.path_of(installation_of(session), row.digest)
    before = row.read
    if not path.exists():
        raise Refusal(f"the file of import {import_id} is not on this machine any more")
    more = service.chunk(session, import_id, path)
    progress.advance(row.read - before, row.place)
    return more


@cron("0 5 * * *")
def sweep(session: Session) -> None:
    """Remove the files of imports that are long done."""
    keeping.sweep(session)
