"""Workbooks: xlsx, xlsm, xls, ods."""

import re
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from panhuo.core.problems import PanhuoError
from panhuo.inventory.readers.raw import (
    HEADER_SEARCH,
    MAX_COLUMNS,
    HeaderScore,
    RawTable,
    header_row,
    too_wide,
    two_line_header,
    unreadable,
)

OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED: Final = "EncryptedPackage".encode("utf-16-le")
CELL: Final = re.compile(rb'<c [^>]*?r="([A-Z]+)')
CHUNK: Final = 1 << 22


def read_excel(path: Path, file: str, score: HeaderScore) -> list[RawTable]:
    """Every sheet that holds anything. Raises PanhuoError for a locked, broken or absurd workbook."""
    refuse_locked(path, file)
    if zipfile.is_zipfile(path):
        refuse_wide(path, file)
    try:
        book = CalamineWorkbook.from_path(path)
        sheets = {name: book.get_sheet_by_name(name).to_python() for name in book.sheet_names}
    except PasswordError:
        raise locked(file) from None
    except (CalamineError, OSError, ValueError) as fault:
        raise unreadable(file, str(fault)) from None
    return [sheet_table(rows, file, name, score) for name, rows in sheets.items() if rows]


def refuse_locked(path: Path, file: str) -> None:
    """An xlsx with a password is an OLE file that holds an encrypted package."""
    content = path.read_bytes() if path.suffix.lower() != ".xls" else b""
    if content.startswith(OLE) and ENCRYPTED in content:
        raise locked(file)


def locked(file: str) -> PanhuoError:
    """The word for a workbook with a password."""
    return PanhuoError(
        "工作簿有密码 the workbook is protected by a password",
        where=file,
        remedy="在 Excel 中取消密码后另存 remove the password in Excel and save again",
    )


def refuse_wide(path: Path, file: str) -> None:
    """A cell far to the right makes a reader lay out millions of empty ones; look before reading."""
    try:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                    with archive.open(name) as stream:
                        widest = max(map(column_number, columns_used(stream)), default=0)
                    if widest > MAX_COLUMNS:
                        raise too_wide(file, widest)
    except (zipfile.BadZipFile, EOFError, OSError) as fault:
        raise unreadable(file, str(fault)) from None


def columns_used(stream: Any) -> set[bytes]:
    """The column letters of a worksheet's cells."""
    letters: set[bytes] = set()
    rest = b""
    while block := stream.read(CHUNK):
        block = rest + block
        letters.update(CELL.findall(block))
        rest = block[-64:]
    return letters


def column_number(letters: bytes) -> int:
    """1 for A, 27 for AA."""
    number = 0
    for letter in letters:
        number = number * 26 + letter - 64
    return number


def sheet_table(rows: list[list[Any]], file: str, sheet: str, score: HeaderScore) -> RawTable:
    """A sheet as a raw table; rows empty in every cell are left out at the end only, so that row numbers hold."""
    if len(rows[0]) > MAX_COLUMNS:
        raise too_wide(file, len(rows[0]))
    first = [[cell_text(c) for c in row] for row in rows[:HEADER_SEARCH]]
    head = header_row(first, score)
    headers = tuple(c.strip() for c in first[head])
    for upper in (head - 1, head):
        if 0 <= upper < len(first) - 1:
            joined = two_line_header(first[upper], first[upper + 1])
            if score(joined) > score(headers):
                head, headers = upper + 1, tuple(joined)
    while len(rows) > head + 1 and all(c == "" for c in rows[-1]):
        rows.pop()
    cells = list(zip(*rows[head + 1 :], strict=True)) or [() for _ in headers]
    columns = tuple(column(values) for values in cells)
    used = [i for i, h in enumerate(headers) if h or columns[i].null_count < len(columns[i])]
    return RawTable(
        file, sheet, tuple(headers[i] for i in used), tuple(columns[i] for i in used), first_row=head + 2
    )


def column(values: tuple[Any, ...]) -> pa.ChunkedArray:
    """Numbers when every filled cell is one, dates likewise, else the text of each cell; empty cells are null."""
    filled = [v for v in values if v != ""]
    if filled and all(type(v) in (int, float) for v in filled):
        return pa.chunked_array([pa.array([None if v == "" else float(v) for v in values], pa.float64())])
    if filled and all(isinstance(v, date) for v in filled):
        return pa.chunked_array([pa.array([None if v == "" else as_date(v) for v in values], pa.date32())])
    return pa.chunked_array([pa.array([None if v == "" else cell_text(v) for v in values], pa.string())])


def as_date(value: date) -> date:
    """The day of a date or a time."""
    return value.date() if isinstance(value, datetime) else value


def cell_text(value: Any) -> str:
    """A cell as a person reads it: 43110 and not 43110.0, 2017-01-09 and no midnight."""
    if isinstance(value, bool):
        return "是" if value else "否"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, date):
        return as_date(value).isoformat()
    return str(value)
