"""Lists as files: CSV streamed, XLSX written row by row, both in constant memory; each export is in the audit.

@console.get("/live-codes/export")
@needs("live-codes:read")
def export() -> BaseResponse:
    return exports.listed("live_code", _("渠道活码"), heads, service.listing(), order, cells, {})

Beside the list's own permission each needs `exports:read`. What a cell says can't become a formula: in CSV it is led by
an apostrophe where it begins like one, in XLSX it is text.
"""

import csv
import io
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from itertools import chain, islice
from typing import IO, Any
from urllib.parse import quote

from flask import Response, request, send_file, stream_with_context
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from bot.core import clock
from bot.core.errors import Forbidden, Unacceptable
from bot.core.installation import Installation
from bot.operators.audit import record_audit
from bot.web import cursors
from bot.web.edge import commit, installation, session
from bot.web.guard import allowed, principal

MOST_ROWS_XLSX = 20_000  # it is whole before the first byte leaves; CSV streams and has no end
ROWS_A_PIECE = 500
FORMULA = ("=", "+", "-", "@", "\t", "\r")  # what a spreadsheet takes for one (OWASP, CSV injection)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Row = Sequence[Any]  # texts, numbers, days, aware moments or None
Rows = Callable[[Session], Iterable[Row]]
Cells = Callable[[Session, Sequence[Any]], Iterable[Row]]


def listed(
    what: str, name: str, heads: Sequence[str], query: Select[Any], order: Sequence[ColumnElement[Any]], cells: Cells,
    filters: Mapping[str, str], *, desc: bool = False,
) -> BaseResponse:  # fmt: skip
    """A list that pages by `cursors.page(query, order)` as the file that is asked for; else as `answer`.

    cells: the rows of the file for some rows of the query, in their order.
    """

    def rows(reading: Session) -> Iterator[Row]:
        cursor = None
        while True:
            found, cursor = cursors.page(reading, query, order, ROWS_A_PIECE, cursor, desc=desc)
            yield from cells(reading, found)
            reading.expunge_all()
            if cursor is None:
                return

    total = session().scalar(select(func.count()).select_from(query.subquery())) or 0
    return answer(what, name, heads, rows, total, filters)


def answer(
    what: str, name: str, heads: Sequence[str], rows: Rows, total: int, filters: Mapping[str, str]
) -> BaseResponse:
    """The file `?form=csv|xlsx` asks for. what: as the audit calls the list; total: how many rows there will be.

    Raises Forbidden (403) without `exports:read`, Unacceptable (422) for an XLSX that would be too long.
    """
    if not allowed("exports:read"):
        raise Forbidden("exports:read is needed for this")
    form = "xlsx" if request.args.get("form") == "xlsx" else "csv"
    if form == "xlsx" and total > MOST_ROWS_XLSX:
        raise Unacceptable(
            f"XLSX has at most {MOST_ROWS_XLSX:,} rows, these are {total:,}; take CSV or narrow the list"
        )
    record_audit(session(), f"{what}.exported", name, None, {"form": form, "rows": total, **filters})
    commit()
    here, actor = installation(), principal().actor
    file_name = f"{name}-{clock.now().astimezone(here.settings.timezone):%Y%m%d-%H%M}.{form}"
    if form == "xlsx":
        file = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the answer
        with here.transaction(actor) as reading:
            write_xlsx(file, heads, _local(here, rows(reading)))
        file.seek(0)
        return send_file(file, XLSX, as_attachment=True, download_name=file_name, max_age=0)
    pieces = stream_with_context(_csv(here, actor, heads, rows))  # words in cells are in the reader's language
    streamed = Response(pieces, content_type="text/csv; charset=utf-8")
    streamed.headers["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file_name)}"  # RFC 6266
    return streamed


def plain_phones() -> bool:
    """Whether the caller may see phones whole."""
    return allowed("phones:read")


def neutral(cell: Any) -> Any:
    """A cell of a CSV that no spreadsheet takes for a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(FORMULA) else cell


def write_xlsx(file: IO[bytes], heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Write a sheet with frozen headings; texts are texts, whatever they begin with."""
    import xlsxwriter  # 0.2 s, which only an export waits for

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with xlsxwriter.Workbook(file, options) as book:
        sheet = book.add_worksheet()
        sheet.freeze_panes(1, 0)
        for number, row in enumerate(chain([heads], rows)):
            for column, cell in enumerate(row):
                if isinstance(cell, (int, float)):
                    sheet.write_number(number, column, cell)
                elif cell is not None:
                    sheet.write_string(number, column, str(cell))


def _csv(here: Installation, actor: str, heads: Sequence[str], rows: Rows) -> Iterator[str]:
    """The file in pieces; the mark tells Excel that it is UTF-8."""
    with here.transaction(actor) as reading:
        left = chain([heads], _local(here, rows(reading)))
        yield "\ufeff"
        while piece := list(islice(left, ROWS_A_PIECE)):
            text = io.StringIO()
            csv.writer(text).writerows([neutral(cell) for cell in row] for row in piece)
            yield text.getvalue()


def _local(here: Installation, rows: Iterable[Sequence[Any]]) -> Iterator[list[Any]]:
    """Moments in the brand's zone (G2), as spreadsheets read them."""
    zone = here.settings.timezone
    for row in rows:
        yield [
            f"{cell.astimezone(zone):%Y-%m-%d %H:%M:%S}" if isinstance(cell, datetime)
            else cell.isoformat() if isinstance(cell, date) else cell
            for cell in row
        ]  # fmt: skip
