"""Files of rows: what one is, and reading it from any row on, in memory that does not depend on its size.

CSV as shops write it: UTF-8 with or without its mark, or GB18030; comma, semicolon or tab. XLSX becomes such a CSV
first (`sheets`). A record is a row, with line breaks inside quotes; rows are counted as a spreadsheet counts them.
"""

import codecs
import csv
import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any

from bot.core.errors import Refusal
from tags.imports.reasons import Reason, reason
from tags.imports.values import plain

BLOCK = 1 << 20
LOOKED_AT = 1 << 16  # bytes that say what a file is
MOST_COLUMNS = 100
MOST_TOGETHER = 5_000  # rows of one thing behind those asked for
MOST_CHARACTERS = 32_767  # of a cell, as Excel's
DELIMITERS = ",;\t"
ENCODINGS = ("utf-8", "gb18030")
MARKS = {codecs.BOM_UTF16_LE: "UTF-16", codecs.BOM_UTF16_BE: "UTF-16", b"\xd0\xcf\x11\xe0": "an old Excel file (.xls)"}
LEGIBLE = {9, 10, 13}  # control characters that text has


class BadFile(Refusal):
    """The file as a whole can't be imported. code: for a page's own words, with `facts`."""

    def __init__(self, code: str, text: str, **facts: Any) -> None:
        super().__init__(f"the file {text}")
        self.code, self.facts = code, facts


@dataclass(frozen=True)
class Place:
    """Where a row begins: its byte, and its number as a spreadsheet counts it (the headings are row 1)."""

    offset: int = 0
    row: int = 1


@dataclass(frozen=True)
class Sheet:
    """A CSV file and how it is read. body: where the rows below the headings begin; digest: SHA-256 of the file."""

    path: Path
    encoding: str
    delimiter: str
    heads: tuple[str, ...]
    body: Place
    size: int
    digest: str

    def json(self) -> dict[str, Any]:
        """What `reopened` needs beside the file."""
        return {"encoding": self.encoding, "delimiter": self.delimiter, "heads": self.heads, "digest": self.digest,
                "offset": self.body.offset, "row": self.body.row, "size": self.size}  # fmt: skip


@dataclass
class Rows:
    """Rows of a sheet, without empty ones. broken: by place, those that are no row of this sheet.

    following: where the next row begins, None at the end.
    """

    numbers: list[int]
    cells: list[list[str]]
    broken: dict[int, Reason]
    following: Place | None


def reopened(path: Path, kept: Mapping[str, Any]) -> Sheet:
    """A sheet that was opened before."""
    body = Place(kept["offset"], kept["row"])
    return Sheet(path, kept["encoding"], kept["delimiter"], tuple(kept["heads"]), body, kept["size"], kept["digest"])


def opened(path: Path) -> Sheet:
    """What a CSV file is, by its content. Raises BadFile."""
    with path.open("rb") as file:
        head = file.read(LOOKED_AT)
    if not head.strip(codecs.BOM_UTF8 + b" \r\n\t,;"):
        raise BadFile("empty", "is empty")
    for mark, what in MARKS.items():
        if head.startswith(mark):
            raise BadFile("format", f"is {what}; save it as .xlsx or as CSV in UTF-8", what=what)
    strange = sum(count for byte, count in Counter(head).items() if byte < 32 and byte not in LEGIBLE)
    if strange > len(head) // 100:
        raise BadFile("binary", "is neither text (CSV) nor XLSX")
    encoding, digest, size = _scanned(path)
    marked = len(codecs.BOM_UTF8) if head.startswith(codecs.BOM_UTF8) else 0
    delimiter = _delimiter(head[marked:], encoding)
    begun = Sheet(path, encoding, delimiter, (), Place(marked, 1), size, digest)
    first = read(begun, begun.body, 1)
    if first.broken or not first.cells:
        raise BadFile("headings", "has no row of headings that can be read")
    heads = tuple(plain(cell) for cell in first.cells[0])
    while heads and not heads[-1]:
        heads = heads[:-1]
    if len(heads) > MOST_COLUMNS:
        raise BadFile("columns", f"has {len(heads)} columns, expected at most {MOST_COLUMNS}", found=len(heads))
    if first.following is None:
        raise BadFile("no rows", "has headings and no rows")
    return Sheet(path, encoding, delimiter, heads, first.following, size, digest)


def read(sheet: Sheet, place: Place, most: int, together: int | None = None) -> Rows:
    """Rows from `place` on: `most` of them, and further ones while their cell in column `together` is the same.

    Raises BadFile where that goes on for more than `MOST_TOGETHER` rows.
    """
    rows = Rows([], [], {}, None)
    with sheet.path.open("rb") as file:
        file.seek(place.offset)
        for begins, number, cells, broken in _records(sheet, file, place):
            if len(rows.cells) >= most and (together is None or _other(rows.cells[-1], cells, together)):
                rows.following = Place(begins, number)
                break
            if len(rows.cells) >= most + MOST_TOGETHER:
                raise _endless(sheet, number, cells, together or 0)
            fault = broken or _fault(sheet, cells)
            if fault is not None:
                rows.broken[len(rows.cells)] = fault
            elif not any(cells):
                continue
            rows.numbers.append(number)
            rows.cells.append(cells)
    return rows


def _other(last: Sequence[str], cells: Sequence[str], together: int) -> bool:
    """Whether a row does not belong to the last one; one that says nothing there belongs to none."""
    return last[together : together + 1] != cells[together : together + 1] or not any(cells[together : together + 1])


def _endless(sheet: Sheet, number: int, cells: Sequence[str], together: int) -> BadFile:
    head, most = sheet.heads[together], f"{MOST_TOGETHER:,}"
    text = f"has more than {most} rows before row {number} that all say {cells[together][:40]} in the column {head}"
    return BadFile("together", f"{text}; is it the right column?", most=most, head=head)


def _records(
    sheet: Sheet, file: BufferedReader, place: Place
) -> Iterator[tuple[int, int, list[str], Reason | None]]:  # fmt: skip
    """(byte where it begins, its number, cells, what is wrong) of each record from `place` on.

    A line whose quotes never close, or close in the middle, is a record of its own; reading goes on behind it.
    """
    begins, number = place.offset, place.row
    while True:
        lines = _Lines(file, sheet.encoding)
        records = csv.reader(lines, delimiter=sheet.delimiter, strict=True)
        try:
            for cells in records:
                yield begins, number, cells, None
                begins, number = begins + lines.taken, number + 1
                lines.taken = 0
            return
        except csv.Error:
            file.seek(begins)
            line = file.readline()
            cells = line.decode(sheet.encoding, "replace").rstrip("\r\n").split(sheet.delimiter)
            yield begins, number, cells, reason("这一行读不出来：引号没有成对，或中间有换行")
            begins, number = begins + len(line), number + 1
            file.seek(begins)


class _Lines:
    """The lines of a file as text. taken: bytes given since it was last 0."""

    def __init__(self, file: BufferedReader, encoding: str) -> None:
        self._file, self._encoding = file, encoding
        self.taken = 0

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = self._file.readline()
        if not line:
            raise StopIteration
        self.taken += len(line)
        return line.decode(self._encoding)


def _fault(sheet: Sheet, cells: list[str]) -> Reason | None:
    """What makes it no row of the sheet, whose cells are filled up to the headings'."""
    width = len(sheet.heads)
    if width and len(cells) != width:
        if any(cells[width:]):
            return reason("这一行有 %(found)s 格，表头有 %(width)s 格", found=len(cells), width=width)
        cells[width:] = [""] * (width - len(cells))
    if "\0" in "".join(cells):
        return reason("这一行有空字符（NUL）")
    if max(map(len, cells), default=0) > MOST_CHARACTERS:
        return reason("有一格超过 %(most)s 个字", most=f"{MOST_CHARACTERS:,}")
    return None


def _scanned(path: Path) -> tuple[str, str, int]:
    """The encoding the whole file has, its digest and its size."""
    decoders = {name: codecs.getincrementaldecoder(name)() for name in ENCODINGS}
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while decoders:
            block = file.read(BLOCK)
            digest.update(block)
            size += len(block)
            for name, decoder in list(decoders.items()):
                try:
                    decoder.decode(block, final=not block)
                except UnicodeDecodeError:
                    del decoders[name]
            if not block:
                break
    if not decoders:
        raise BadFile("encoding", "is neither UTF-8 nor GB18030 throughout; save it as CSV in UTF-8")
    return next(iter(decoders)), digest.hexdigest(), size


def _delimiter(head: bytes, encoding: str) -> str:
    """What separates the headings: whichever of the three stands there most, outside quotes."""
    line = next(filter(bytes.strip, head.splitlines()), b"").decode(encoding, "replace")
    outside = "".join(part for n, part in enumerate(line.split('"')) if n % 2 == 0)
    return max(DELIMITERS, key=outside.count)
