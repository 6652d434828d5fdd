"""XLSX made CSV: the first sheet that has something in it, its cells as a person reads them.

calamine reads a whole sheet into memory, so how much a file unpacks to is counted first, by unpacking it: what the
archive says of itself is not believed.
"""

import csv
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any

from python_calamine import CalamineError, CalamineWorkbook

from tags.imports.files import BadFile

MARK = b"PK\x03\x04"
MOST_UNPACKED = 128 << 20  # bytes: some 500,000 rows; calamine takes about five times as many
MOST_MEMBERS = 1_000
BLOCK = 1 << 16
LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a member: the mark, and how long name and extra field are


def is_xlsx(path: Path) -> bool:
    """Whether a file is a ZIP archive, which XLSX is."""
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK


def to_csv(path: Path, target: Path) -> None:
    """Write the sheet of an XLSX file as CSV in UTF-8. Raises BadFile."""
    if _unpacked(path) > MOST_UNPACKED:
        raise BadFile("too large", f"unpacks to more than {MOST_UNPACKED >> 20} MiB; save it as CSV")
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheet = next((one for one in map(book.get_sheet_by_name, book.sheet_names) if one.height), None)
    except CalamineError:
        raise BadFile("binary", "is neither text (CSV) nor XLSX") from None
    if sheet is None:
        raise BadFile("empty", "is empty")
    with target.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([_text(cell) for cell in row] for row in sheet.iter_rows())


def _text(cell: Any) -> str:
    if isinstance(cell, str):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, float):
        shown = f"{cell:.15g}"  # as many digits as Excel keeps
        return f"{cell:.0f}" if "e+" in shown else shown
    if isinstance(cell, datetime):
        return cell.isoformat(" ").removesuffix(" 00:00:00")
    if isinstance(cell, date):
        return cell.isoformat()
    return "" if cell is None else str(cell) if not isinstance(cell, timedelta) else str(cell.total_seconds())


def _unpacked(path: Path) -> int:
    """To how many bytes the archive unpacks; counting stops behind `MOST_UNPACKED`."""
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            members = archive.infolist()
            if len(members) > MOST_MEMBERS or "[Content_Types].xml" not in archive.namelist():
                raise BadFile("binary", "is neither text (CSV) nor XLSX")
            total = 0
            for member in members:
                for size in _inflated(file, member):
                    total += size
                    if total > MOST_UNPACKED:
                        return total
            return total
    except (zipfile.BadZipFile, zlib.error, struct.error, EOFError):
        raise BadFile("binary", "is neither text (CSV) nor XLSX") from None


def _inflated(file: IO[bytes], member: zipfile.ZipInfo) -> Iterator[int]:
    """The sizes of the parts a member unpacks to."""
    file.seek(member.header_offset)
    mark, name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    if mark != MARK:
        raise zipfile.BadZipFile
    file.seek(name + extra, 1)
    left, inflate = member.compress_size, zlib.decompressobj(-zlib.MAX_WBITS)
    while left > 0 and (packed := file.read(min(BLOCK, left))):
        left -= len(packed)
        if member.compress_type == zipfile.ZIP_STORED:
            yield len(packed)
            continue
        while packed:
            yield len(inflate.decompress(packed, BLOCK))
            packed = inflate.unconsumed_tail
