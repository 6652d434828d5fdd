"""XLSX made CSV: the first sheet that has something in it, its cells as a person reads them.

calamine holds the whole rectangle a sheet's cells span, so how much a file unpacks to and how far apart its cells stand
is found out first. What the archive says of itself is not believed: calamine is given another one, made of what was
looked through.
"""

import csv
import string
import struct
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from xml.parsers import expat  # a DTD, without which there are no entities, is refused

from python_calamine import CalamineError, CalamineWorkbook

from tags.imports.files import BadFile

MARK = b"PK\x03\x04"
MOST_UNPACKED = 128 << 20  # bytes: some 500,000 rows; calamine takes about five times as many
MOST_CELLS = 10_000_000  # of a sheet's rectangle: 1,000,000 rows of ten columns
MOST_MEMBERS = 1_000
BLOCK = 1 << 16
LOCAL_HEADER = struct.Struct("<4s22xHH")  # of a member: the mark, and how long name and extra field are
HOLDS = {"v", "is", "f"}  # what a cell that is not empty has in it


def is_xlsx(path: Path) -> bool:
    """Whether a file is a ZIP archive, which XLSX is."""
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK


def to_csv(path: Path, target: Path) -> None:
    """Write the sheet of an XLSX file as CSV in UTF-8. Raises BadFile."""
    with tempfile.NamedTemporaryFile(
        dir=target.parent, suffix=".xlsx"
    ) as sound:  # by the suffix calamine reads XLSX only
        try:
            _look_through(path, sound)
            book = CalamineWorkbook.from_path(sound.name)
            sheet = next((one for one in map(book.get_sheet_by_name, book.sheet_names) if one.height), None)
        except (CalamineError, zipfile.BadZipFile, zlib.error, struct.error, EOFError):
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


def _look_through(path: Path, sound: IO[bytes]) -> None:
    """Write the archive's sound XML, which is all that calamine needs, into a new archive. Raises BadFile."""
    left = MOST_UNPACKED
    with zipfile.ZipFile(path) as archive, path.open("rb") as file, zipfile.ZipFile(sound, "w") as made:
        names = archive.namelist()
        if len(names) > MOST_MEMBERS or len(set(names)) < len(names) or "[Content_Types].xml" not in names:
            raise zipfile.BadZipFile
        for member in archive.infolist():
            content = bytearray()
            for part in _inflated(file, member):
                content += part
                if len(content) > left:
                    raise BadFile("too large", f"unpacks to more than {MOST_UNPACKED >> 20} MiB; save it as CSV")
            left -= len(content)
            if _is_sound(content):
                made.writestr(member.filename, content)
    sound.flush()


def _is_sound(content: bytearray) -> bool:
    """Whether it is well-formed XML without a DTD. Raises BadFile for a sheet whose cells span too much."""
    cells, parser = _Cells(), expat.ParserCreate()
    parser.StartElementHandler = cells.begin
    parser.StartDoctypeDeclHandler = _refuse
    try:
        parser.Parse(content, True)
    except (expat.ExpatError, ValueError):
        return False
    if cells.rows * cells.columns > MOST_CELLS:
        found, most = f"{cells.rows:,} × {cells.columns:,}", f"{MOST_CELLS:,}"
        text = f"has cells {found} apart, expected at most {most} in all; delete what stands far from the rest"
        raise BadFile("sparse", text, found=found, most=most)
    return True


def _refuse(*_declared: object) -> None:
    raise ValueError


class _Cells:
    """How far the cells of a sheet reach that hold something. rows, columns: of the rectangle from A1.

    A row or a cell that does not say where it is stands behind the one before (ECMA-376, 18.3.1.73 and 18.3.1.4).
    """

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._row = self._column = 0
        self._address: str | None = None
        self._letters: dict[str, int] = {}

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins. Raises ValueError for an address that is none."""
        if ":" in name:
            name = name.rpartition(":")[2]
        if name == "c":
            self._address = attributes.get("r")
            self._column = self._column + 1 if self._address is None else self._of(self._address)
        elif name in HOLDS:
            row = self._row if self._address is None else int(self._address.lstrip(string.ascii_letters))
            self.rows, self.columns = max(self.rows, row), max(self.columns, self._column)
        elif name == "row":
            self._row, self._column = int(attributes.get("r", self._row + 1)), 0

    def _of(self, address: str) -> int:
        """The column of `AB12`, from 1."""
        letters = address.rstrip(string.digits)
        if letters not in self._letters:
            column = 0
            for letter in letters:
                column = column * 26 + string.ascii_uppercase.index(letter.upper()) + 1
            self._letters[letters] = column
        return self._letters[letters]


def _inflated(file: IO[bytes], member: zipfile.ZipInfo) -> Iterator[bytes]:
    """A member unpacked, in parts."""
    file.seek(member.header_offset)
    mark, name, extra = LOCAL_HEADER.unpack(file.read(LOCAL_HEADER.size))
    if mark != MARK:
        raise zipfile.BadZipFile
    file.seek(name + extra, 1)
    left, inflate = member.compress_size, zlib.decompressobj(-zlib.MAX_WBITS)
    while left > 0 and (packed := file.read(min(BLOCK, left))):
        left -= len(packed)
        if member.compress_type == zipfile.ZIP_STORED:
            yield packed
            continue
        while packed:
            yield inflate.decompress(packed, BLOCK)
            packed = inflate.unconsumed_tail
