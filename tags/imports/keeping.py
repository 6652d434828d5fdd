"""Where files wait for their import: below DATA_DIR, as they came and, where that was XLSX, as the CSV made of it.

They hold phone numbers, so they go when nobody needs them any more (`sweep`).
"""

import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import IO

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.core import clock
from bot.core.installation import Installation, installation_of
from tags.imports import files, sheets
from tags.imports.files import BadFile, Sheet
from tags.imports.models import Import

FOLDER = "imports"  # below DATA_DIR
MOST_BYTES = 20 << 20  # of an upload; what is larger goes through the command
KEPT = timedelta(days=30)  # after the last import of it, for its rejected rows


def opened(installation: Installation, path: Path) -> Sheet:
    """The file at `path` as rows, read where it lies; XLSX through a CSV of ours. Raises BadFile."""
    if not sheets.is_xlsx(path):
        return files.opened(path)
    folder = _folder(installation)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".new", delete=False) as fresh:
        made = Path(fresh.name)
    try:
        sheets.to_csv(path, made)
        digest = files.opened(made).digest
        return files.opened(made.rename(folder / f"{digest}.csv"))
    finally:
        made.unlink(missing_ok=True)


def keep(installation: Installation, upload: IO[bytes]) -> Sheet:
    """Keep an uploaded file. Raises BadFile where it is too large or no file of rows."""
    folder = _folder(installation)
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".new", delete=False) as fresh:
        shutil.copyfileobj(upload, fresh)
        size = fresh.tell()
        fresh.flush()
        os.fsync(fresh.fileno())
    made = Path(fresh.name)
    try:
        if size > MOST_BYTES:
            found, most = f"{size / (1 << 20):.1f}", MOST_BYTES >> 20
            raise BadFile("size", f"has {found} MiB, expected at most {most}", found=found, most=most)
        sheet = opened(installation, made)
        if sheet.path != made:
            return sheet
        return files.opened(made.rename(path_of(installation, sheet.digest)))
    finally:
        made.unlink(missing_ok=True)


def path_of(installation: Installation, digest: str) -> Path:
    """Where the file with this digest lies."""
    return _folder(installation) / f"{digest}.csv"


def sweep(session: Session) -> int:
    """Remove the files that no import has had for `KEPT`; how many."""
    needed = select(Import.digest).where(
        (Import.created_at > clock.now() - KEPT) | Import.state.in_(("checking", "running"))
    )
    kept = {f"{digest}.csv" for digest in session.scalars(needed)}
    before = (clock.now() - timedelta(days=1)).timestamp()  # of an upload that is under way
    gone = [
        one for one in _folder(installation_of(session)).iterdir()
        if one.name not in kept and one.stat().st_mtime < before
    ]  # fmt: skip
    for one in gone:
        one.unlink(missing_ok=True)
    return len(gone)


def _folder(installation: Installation) -> Path:
    folder = installation.settings.data_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    return folder
