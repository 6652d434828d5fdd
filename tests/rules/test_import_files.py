"""What a file of rows may look like, and what its cells say (G1, G2)."""

import csv
import io
import zipfile
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import xlsxwriter
from hypothesis import given
from hypothesis import strategies as st

from tags.imports import files, sheets, values
from tags.imports.files import BadFile
from tags.imports.kinds import Field, guess
from tags.imports.reasons import Bad

SHANGHAI = ZoneInfo("Asia/Shanghai")
HEADINGS = "订单号,金额\n"


def opened(folder: Path, content: bytes) -> files.Sheet:
    (folder / "f.csv").write_bytes(content)
    return files.opened(folder / "f.csv")


def every(sheet: files.Sheet, most: int = 3, together: int | None = None) -> list[list[str]]:
    """All rows, read in chunks; broken ones are left out."""
    found, place = [], sheet.body
    while place is not None:
        rows = files.read(sheet, place, most, together)
        found += [cells for at, cells in enumerate(rows.cells) if at not in rows.broken]
        place = rows.following
    return found


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_encodings_and_delimiters_are_found_out(tmp_path: Path, encoding: str, delimiter: str) -> None:
    rows = [["姓名", "备注"], ["陈静怡", f"喜欢{delimiter}\n「耶加雪菲」"], ["周子墨", ""], ["欧阳", '他说 "好"']]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    sheet = opened(tmp_path, text.getvalue().encode(encoding))
    assert (sheet.heads, sheet.delimiter) == (("姓名", "备注"), delimiter)
    assert every(sheet, most=1) == rows[1:]


@given(st.lists(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8),
                         min_size=2, max_size=2), max_size=9), st.integers(1, 4))  # fmt: skip
def test_chunks_give_what_a_reader_of_the_whole_gives(tmp_path: Path, rows: list[list[str]], most: int) -> None:
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], *rows, ["x", "y"]])
    (tmp_path / "f.csv").write_bytes(text.getvalue().encode())
    sheet = files.Sheet(tmp_path / "f.csv", "utf-8", ",", ("a", "b"), files.Place(), 0, "")
    assert every(sheet, most) == [row for row in [["a", "b"], *rows, ["x", "y"]] if any(row)]


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"), (b"\xef\xbb\xbf\r\n", "is empty"), (HEADINGS.encode(), "no rows"),
        (bytes(range(256)) * 20, "neither text"), ("订单,1\n".encode("utf-16"), "UTF-16"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "old Excel"),
        (b"a,b\n" + b"\x81\x20\xff" * 9, "neither UTF-8"),
        (b",".join(b"c%d" % n for n in range(101)) + b"\n1\n", "101 columns"),
        (b"PK\x03\x04" + b"\0" * 99, "neither text"),
    ],
)  # fmt: skip
def test_what_is_no_file_of_rows_is_refused_in_one_sentence(tmp_path: Path, content: bytes, says: str) -> None:
    (tmp_path / "f.csv").write_bytes(content)
    with pytest.raises(BadFile, match=says) as refused:
        if sheets.is_xlsx(tmp_path / "f.csv"):
            sheets.to_csv(tmp_path / "f.csv", tmp_path / "g.csv")
        files.opened(tmp_path / "f.csv")
    assert "\n" not in str(refused.value)


def test_rows_that_are_none_are_named_and_those_behind_them_are_read(tmp_path: Path) -> None:  # G6
    lines = ["A1,1", 'A2,"never closed', "A3,3", "A4,1,2,3", "A5,\0", "A6", ",,", "A7," + "x" * 40_000, "A8,8"]
    sheet = opened(tmp_path, (HEADINGS + "\n".join(lines)).encode())
    rows = files.read(sheet, sheet.body, 99)
    assert [cells[0] for at, cells in enumerate(rows.cells) if at not in rows.broken] == ["A1", "A3", "A6", "A8"]
    assert [rows.numbers[at] for at in sorted(rows.broken)] == [3, 5, 6, 9]
    assert len(rows.numbers) == 8  # the empty one is none


def test_rows_of_one_order_are_never_parted(tmp_path: Path) -> None:
    body = "".join(f"A{n // 4},{n}\n" for n in range(20))
    sheet = opened(tmp_path, (HEADINGS + body).encode())
    first = files.read(sheet, sheet.body, 5, together=0)
    assert [cells[1] for cells in first.cells] == [str(n) for n in range(8)]
    assert len(every(sheet, 5, together=0)) == 20


def test_rows_without_end_are_no_one_order(tmp_path: Path) -> None:  # quality.md, Reliability
    sheet = opened(tmp_path, (HEADINGS + "A1,1\n" * (files.MOST_TOGETHER + 9)).encode())
    assert len(files.read(sheet, sheet.body, 9, together=0).cells) == files.MOST_TOGETHER + 9
    with pytest.raises(BadFile, match=r"5,000 rows before row 5010 that all say A1 in the column 订单号"):
        files.read(sheet, sheet.body, 8, together=0)
    sheet = opened(tmp_path, (HEADINGS + ",1\n" * 20).encode())
    assert len(files.read(sheet, sheet.body, 5, together=0).cells) == 5


def test_a_workbook_is_read_as_a_person_sees_it(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "f.xlsx"))
    sheet, day = book.add_worksheet(), book.add_format({"num_format": "yyyy-mm-dd hh:mm"})
    sheet.write_row(0, 0, ["单号", "时间", "金额", "电话"])
    sheet.write_row(1, 0, ["A1", 46_350.5, 12.1, 13_800_138_000])
    sheet.write_datetime(2, 1, datetime(2026, 11, 24, 10, 24), day)  # noqa: DTZ001  # Excel knows no zones
    sheet.write_number(2, 2, 0.1 + 0.2)
    book.close()
    sheets.to_csv(tmp_path / "f.xlsx", tmp_path / "f.csv")
    assert every(files.opened(tmp_path / "f.csv")) == [
        ["A1", "46350.5", "12.1", "13800138000"], ["", "2026-11-24 10:24:00", "0.3", ""],
    ]  # fmt: skip


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:  # quality.md, Security
    path = tmp_path / "bomb.xlsx"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", "<Types/>")
        archive.writestr("xl/worksheets/sheet1.xml", b" " * (sheets.MOST_UNPACKED + 1))
    lied = path.read_bytes()
    size = (sheets.MOST_UNPACKED + 1).to_bytes(4, "little")
    path.write_bytes(lied.replace(size, (9).to_bytes(4, "little")))  # what it says of itself is not believed
    with pytest.raises(BadFile, match="128 MiB"):
        sheets.to_csv(path, tmp_path / "out.csv")


SHEET = "<worksheet><sheetData>{}</sheetData></worksheet>"
ROW = '<row r="{}"><c r="{}"><v>1</v></c></row>'
FAR = ROW.format(1, "A1") + ROW.format(1048576, "XFD1048576")
UNSAID = "<row/>" * 200_000 + "<row>" + "<c/>" * 200 + "<c><v>1</v></c></row>"  # the same rectangle without addresses


@pytest.mark.parametrize(
    ("member", "content", "says"),
    [
        ("xl/worksheets/sheet1.xml", SHEET.format(FAR), "1,048,576 × 16,384"),
        ("xl/sheet1.bin", f'<x:{SHEET.format(FAR)[1:]}'.replace("</worksheet", "</x:worksheet"), "1,048,576 × 16,384"),
        ("xl/worksheets/sheet1.xml", SHEET.format(UNSAID), "200,001 × 201"),
        ("xl/worksheets/sheet1.xml", "<!DOCTYPE a>" + SHEET.format(FAR), "neither text"),
        ("xl/worksheets/sheet1.xml", SHEET.format(FAR) + "<", "neither text"),
    ],
)  # fmt: skip
def test_a_sheet_whose_cells_stand_far_apart_is_refused_before_it_is_read(
    tmp_path: Path, member: str, content: str, says: str
) -> None:  # quality.md, Security
    book = xlsxwriter.Workbook(str(tmp_path / "f.xlsx"))
    book.add_worksheet().write(0, 0, "order_id")
    book.close()
    with zipfile.ZipFile(tmp_path / "f.xlsx") as honest, zipfile.ZipFile(tmp_path / "g.xlsx", "w") as crafted:
        for name in honest.namelist():
            if name == "xl/worksheets/sheet1.xml":
                crafted.writestr(member, content)
            else:
                whither = honest.read(name).replace(b"worksheets/sheet1.xml", member.removeprefix("xl/").encode())
                crafted.writestr(name, whither)
    with pytest.raises(BadFile, match=says):
        sheets.to_csv(tmp_path / "g.xlsx", tmp_path / "out.csv")


def test_styled_empty_cells_far_away_do_not_count(tmp_path: Path) -> None:
    book = xlsxwriter.Workbook(str(tmp_path / "f.xlsx"))
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, ["order_id"])
    sheet.write_row(1, 0, ["A1"])
    sheet.write_blank(1_048_575, 16_383, None, book.add_format({"bold": True}))
    book.close()
    sheets.to_csv(tmp_path / "f.xlsx", tmp_path / "out.csv")
    assert every(files.opened(tmp_path / "out.csv")) == [["A1"]]


@pytest.mark.parametrize(
    ("cell", "fen"),
    [("1234.5", 123_450), ("￥1,234.50", 123_450), ("１２元", 1_200), ("0", 0), ("¥ 9.9", 990), ("12.500", 1_250),
     ("1,23", None), ("-3", None), ("12.345", None), ("12,5x", None), ("1e3", None), ("NaN", None)],
)  # fmt: skip
def test_amounts_are_read_as_fen(cell: str, fen: int | None) -> None:  # G1
    if fen is None:
        with pytest.raises(Bad):
            values.amount(values.plain(cell))
    else:
        assert values.amount(values.plain(cell)) == fen


@given(st.integers(0, 10**13))
def test_what_money_says_is_read_back(fen: int) -> None:  # G1
    assert values.amount(f"¥{fen // 100:,}.{fen % 100:02}") == fen


@pytest.mark.parametrize(
    "cell",
    ["2026-11-24 10:24", "2026/11/24 10:24:00", "2026年11月24日 10:24", "2026-11-24T02:24:00Z", "20261124 1024",
     "2026.11.24 10:24", "46350.43333333333", "２０２６－１１－２４　１０：２４", "2026-11-24T10:24:00+08:00"],
)  # fmt: skip
def test_a_moment_is_the_same_however_it_is_written(cell: str) -> None:  # G2
    assert values.moment(SHANGHAI)(values.plain(cell)) == datetime(2026, 11, 24, 2, 24, tzinfo=UTC)


@pytest.mark.parametrize("cell", ["2026-13-40", "昨天", "11/24/2026", "2026", "2026-11-24 25:00", "1.5"])
def test_a_moment_that_could_be_another_is_refused(cell: str) -> None:
    with pytest.raises(Bad):
        values.moment(SHANGHAI)(cell)


def test_the_apostrophe_of_an_export_is_taken_away_again() -> None:
    assert [values.plain(cell) for cell in ("'=1+1", "'+86 1", "'quoted'", " '-3")] == [
        "=1+1",
        "+86 1",
        "'quoted'",
        "-3",
    ]


def test_days_genders_and_phones() -> None:
    assert values.day("1992年5月4日") == date(1992, 5, 4)
    assert [values.gender(one) for one in ("女", "先生", "F", "保密")] == ["female", "male", "female", ""]
    assert values.phone(values.plain("１３８ 0013-8000")) == "+8613800138000"
    with pytest.raises(Bad):
        values.phone("12")


@pytest.mark.parametrize(
    ("heads", "found"),
    [
        (["订单编号", "实付金额（元）", "买家手机"], {"id": 0, "total": 1}),
        (["Order_ID ", "金额(分)"], {"id": 0, "fen": 1}),
        (["x", "order id", "ORDER-ID"], {"id": 1}),
    ],
)  # fmt: skip
def test_columns_are_guessed_by_their_headings_each_once(heads: list[str], found: dict[str, int]) -> None:
    def field(key: str, label: str, headings: str) -> Field:
        return Field(key, label, headings, str)

    some: list[Any] = [
        field("id", "订单号", "订单编号 / order id"),
        field("total", "实付金额", "金额"),
        field("fen", "分", "金额(分)"),
    ]
    assert guess(heads, some) == found
